// The main job, as a person does it: from a phone's browser through the real daemon to a printer on a pseudo-terminal.
import assert from 'node:assert/strict'
import { after, before, test as run } from 'node:test'
import { fileWithThumbnail, realFile, Rig, until } from './rig.mjs'
import { basename } from 'node:path'

const rig = new Rig()
const file = fileWithThumbnail() ?? realFile()
let first, second
const test = rig.steps(run)

before(async () => {
  await rig.printer('--speed', fileWithThumbnail() ? '8' : '3', '--heat', '60') // the small file would be done too soon
  await rig.daemon()
  await rig.browser()
})
after(() => rig.end())

const text = (page, id) => page.getByTestId(id).innerText()
const tab = (page, name) => page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name }).click()
const state = (page, wanted) => until(`state ${wanted}`, async () => (await text(page, 'state')) === wanted)

/** A sum over the canvas, which changes when another frame is painted; 0 while it is empty. */
const paint = (page) => page.getByTestId('camera-canvas').evaluate((canvas) => {
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
  let sum = 0
  for (let i = 0; i < data.length; i += 97) sum = (sum * 31 + data[i]) >>> 0
  return canvas.width > 100 ? sum : 0
})

test('without a key nothing is shown', async () => {
  const page = await rig.phone('/')
  await page.getByRole('heading', { name: 'Nobody owns this layerd yet' }).waitFor()
  await page.getByLabel('The link, or a key').fill('ld_wrong')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByText('layerd does not know this key').waitFor()
  await page.getByLabel('The link, or a key').fill(rig.token('viewer'))
  await page.getByRole('button', { name: 'Log in' }).click()
  await state(page, 'Ready')
  await page.context().close()
})

test('the key in the address logs in and leaves the address', async () => {
  first = await rig.phone(`/#token=${rig.token()}`)
  await state(first, 'Ready')
  assert.ok(!first.url().includes('token'), `the key is still in ${first.url()}`)
})

test('a file that is no G-code is refused with its reason', async () => {
  await tab(first, 'Files')
  await first.getByLabel('G-code files to upload').setInputFiles({ name: 'letter.gcode', mimeType: 'text/plain', buffer: Buffer.from('Dear printer,\nplease print a boat.\nYours\n'.repeat(20)) })
  await first.getByRole('list', { name: 'Uploads' }).getByRole('alert').getByText(/cannot be printed|not G-code/i).first().waitFor()
  await first.getByRole('button', { name: 'Cancel upload of letter.gcode' }).click()
})

test('upload, bed clear, start', async () => {
  await first.getByLabel('G-code files to upload').setInputFiles(file)
  await first.getByText(/Uploaded, /).waitFor()
  await first.getByRole('list', { name: 'Uploads' }).getByRole('link', { name: 'Open' }).click()
  await first.getByRole('dialog').getByRole('button', { name: 'Print' }).click()
  await first.getByRole('dialog', { name: 'Is the bed clear?' }).waitFor()
  await first.getByRole('button', { name: 'Bed is clear, print' }).click()
  const warned = first.getByRole('button', { name: 'Print anyway' })
  await Promise.race([warned.waitFor().then(() => warned.click()), first.getByTestId('job-name').waitFor()])
  assert.equal(await text(first, 'job-name'), basename(file))
})

test('picture, temperatures and progress are live', async () => {
  const frame = await until('a first picture', () => paint(first))
  await until('another picture', async () => (await paint(first)) !== frame)
  assert.match(await text(first, 'camera-age'), /^Live/)
  await until('a hot nozzle', async () => /\b(1[5-9]\d|2\d\d)°/.test(await first.getByRole('button', { name: /^Nozzle/ }).innerText()))
  await until('the first layer', async () => /^Layer [1-9]/.test(await text(first, 'layer')))
  const percent = Number(await text(first, 'percent'))
  await until('progress', async () => Number(await text(first, 'percent')) > percent)
  assert.match(await text(first, 'time-left'), /\d+ (s|min|h)/)
  if (fileWithThumbnail()) await until('the slicer\'s picture', () => first.getByRole('region', { name: 'Print' }).locator('img').evaluate((img) => img.naturalWidth > 100))
})

test('a second phone sees the same', async () => {
  second = await rig.phone(`/#token=${rig.token('operator')}`)
  await state(second, 'Printing')
  assert.equal(await text(second, 'job-name'), basename(file))
  await until('both show the same layer', async () => (await text(first, 'layer')) === (await text(second, 'layer')))
  await until('the second phone has a picture', () => paint(second))
})

test('pause shows Pausing at once and Paused when the head is parked, on both phones', async () => {
  await first.getByRole('button', { name: 'Pause', exact: true }).click()
  await first.getByRole('button', { name: /^Pausing…/ }).waitFor({ timeout: 2000 })
  await state(first, 'Paused')
  await state(second, 'Paused')
  await until('parked', () => rig.executed().slice(-8).some((l) => /^G0 X5 Y210/.test(l)))
})

test('a reload in the middle loses nothing', async () => {
  await first.reload()
  await state(first, 'Paused')
  assert.equal(await text(first, 'job-name'), basename(file))
  await until('a picture again', () => paint(first))
})

test('resume from the other phone goes on where it was', async () => {
  const line = rig.executed().length
  await second.getByRole('button', { name: 'Resume' }).click()
  await state(first, 'Printing')
  await until('reheated, and back', () => {
    const back = rig.executed().slice(line)
    return back.some((l) => l.startsWith('M109')) && back.some((l) => l.startsWith('G92 E'))
  })
  const percent = Number(await text(first, 'percent'))
  await until('progress after the pause', async () => Number(await text(first, 'percent')) > percent)
})

test('the link is lost, and everything comes back', async () => {
  rig.layerd.kill('SIGSTOP')
  await first.getByText(/Link lost|cannot be reached/).first().waitFor({ timeout: 20_000 })
  assert.ok(await first.getByRole('button', { name: 'Pause', exact: true }).isDisabled())
  rig.layerd.kill('SIGCONT')
  await until('the controls again', async () => first.getByRole('button', { name: 'Pause', exact: true }).isEnabled())
  await state(first, 'Printing')
})

test('a tap on Stop asks, holding it for a second cancels', async () => {
  const stopButton = first.getByRole('button', { name: /^Stop print/ })
  await stopButton.click()
  await first.getByRole('alertdialog', { name: 'Stop this print?' }).waitFor()
  await first.getByRole('button', { name: 'Keep printing' }).click()
  await stopButton.focus()
  await first.keyboard.down('Enter')
  await first.getByRole('button', { name: /^Stopping…/ }).waitFor({ timeout: 5000 })
  await first.keyboard.up('Enter')
  await state(first, 'Ready')
  await state(second, 'Ready')
  await until('heaters and motors off', () => {
    const end = rig.executed().slice(-20)
    return ['M104 S0', 'M140 S0', 'M84'].every((wanted) => end.includes(wanted))
  })
  await first.getByRole('region', { name: 'Last print' }).getByText(/stopped|cancelled/i).first().waitFor()
})

test('moving: home, jog, and what a cold nozzle forbids', async () => {
  await tab(first, 'Move')
  await first.getByRole('button', { name: /^Home all/ }).click()
  await until('homed', () => rig.executed().at(-1) === 'M114' && rig.executed().includes('G28'))
  await first.getByRole('button', { name: 'X plus 10 millimetres' }).or(first.getByRole('button', { name: /^X plus/ })).first().click()
  await until('jogged', () => rig.executed().slice(-5).some((l) => /^G0 X\d+/.test(l)))
})

test('the console speaks and hears', async () => {
  await tab(first, 'Console')
  await first.getByLabel('Line to send').fill('M115')
  await first.getByRole('button', { name: 'Send' }).click()
  await first.getByRole('log', { name: 'Conversation' }).getByText(/FIRMWARE_NAME/).first().waitFor()
})

test('emergency stop is two taps away, and is confirmed by the firmware', async () => {
  await tab(first, 'Print')
  await first.getByRole('button', { name: 'Emergency stop' }).click()
  await first.getByRole('alertdialog').or(first.getByRole('dialog')).getByRole('button', { name: /stop/i }).first().click()
  await until('halted', async () => /stopped|halted/i.test(await text(first, 'state')))
  await first.getByText('The printer has stopped.').waitFor()
})

test('the pages had nothing to complain about', () => assert.deepEqual(rig.errors, []))
