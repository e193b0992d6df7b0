// A spool and a queue of two files, as a person has them: from a phone's browser through the real daemon to a printer on a pseudo-terminal.
// With SHOTS=DIR in the environment each step leaves a picture there.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test as run } from 'node:test'
import { inaccessible, Rig, until } from './rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
let page, key

// Pushes mm of filament, 10 or less at a time; what is long takes long enough to be paused before the end code.
const gcode = (mm, moves = Math.max(40, mm / 5)) => `; filament_type = PLA\nG28\nM109 S200\nM83\nG1 Z0.3 F600\n${Array.from({ length: moves }, (_, i) => `G1 X${50 + (i % 2) * 20} Y${50 + (i % 40)} E${mm / moves} F3000\n`).join('')}G1 E-2 F1800\nM104 S0\n`

const api = async (path, body) => {
  const answer = await fetch(`${rig.url}${path}`, { headers: { authorization: `Bearer ${key}` }, ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}) })
  if (!answer.ok) throw new Error(await answer.text())
  return answer.json()
}
const shot = async (name, full = false) => {
  if (!process.env.SHOTS) return
  mkdirSync(process.env.SHOTS, { recursive: true })
  await page.waitForTimeout(400)
  await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), fullPage: full })
}
/** On the narrowest phone nothing sticks out or is too small to tap, and axe finds no violation of WCAG 2.1 A and AA, light or dark. */
const narrow = async (what) => {
  await page.setViewportSize({ width: 320, height: 640 })
  await shot(`narrow ${what}`)
  const found = []
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme })
    found.push(...await inaccessible(page), ...await page.evaluate(() => {
      const wide = [document.scrollingElement, ...document.querySelectorAll('dialog')].filter((e) => e.scrollWidth > e.clientWidth + 1)
      const small = [...document.querySelectorAll('button, select, input')].filter((e) => e.checkVisibility() && e.getBoundingClientRect().width > 0 && !e.matches('.unseen'))
        .filter((e) => Math.min(e.getBoundingClientRect().width, e.getBoundingClientRect().height) < 44)
      return [...wide.map(() => 'it is too wide'), ...small.map((e) => `too small: ${e.outerHTML.slice(0, 80)}`)]
    }))
  }
  await page.setViewportSize({ width: 390, height: 844 })
  assert.deepEqual([...new Set(found)], [], what)
}
const tab = (name) => page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name }).click()
const state = (wanted) => until(`state ${wanted}`, async () => (await page.getByTestId('state').innerText()) === wanted)
const queued = async () => (await api('/v1/queue')).entries.map((e) => `${e.name} ${e.copies}`).join(', ')
const leftMM = async () => (await api('/v1/spools')).spools[0].left_mm

before(async () => {
  await rig.printer('--speed', '20', '--heat', '100')
  await rig.daemon()
  await rig.browser()
})
after(() => rig.end())

test('a spool is added and put on', async () => {
  key = rig.token()
  page = await rig.phone(`/#token=${key}`, { bypassCSP: true })
  await state('Ready')
  await tab('Settings')
  await page.getByRole('link', { name: /^Spools/ }).click()
  await page.getByRole('button', { name: 'Add a spool' }).click()
  await page.getByLabel('Name', { exact: true }).fill('Acme PLA orange')
  await page.getByLabel('Left, if not full').fill('30')
  await shot('spool-form')
  await page.getByRole('button', { name: 'Save' }).click()
  const card = page.getByRole('article', { name: 'Acme PLA orange' })
  await card.getByText('10.1 m left').waitFor() // 30 g at 2.98 g/m
  await card.getByRole('button', { name: 'Put on the printer' }).click()
  await card.getByRole('button', { name: 'On the printer' }).waitFor()
  await shot('spools')
  await narrow('the spools')
})

test('two files are added to the queue', async () => {
  await tab('Files')
  for (const [name, mm] of [['first.gcode', 400], ['second.gcode', 12_000]]) {
    await page.getByLabel('G-code files to upload').setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(gcode(mm)) })
    await page.getByRole('link', { name: new RegExp(`^${name}`) }).click()
    const sheet = page.getByRole('dialog')
    const needs = sheet.getByTestId('needs')
    await needs.waitFor()
    assert.equal(await needs.innerText(), `needs ${mm === 400 ? '0.40' : '12.0'} m, Acme PLA orange has 10.1 m`)
    await shot(`file-${name}`)
    await sheet.getByRole('button', { name: 'Add to queue' }).click()
    if (mm === 400) await page.getByRole('button', { name: 'One copy more' }).click()
    await shot('queue-add')
    await page.getByRole('dialog', { name: 'Add to the queue' }).getByRole('button', { name: 'Add to queue' }).click()
    await until('the sheet is away', async () => (await page.getByRole('dialog').count()) === 0)
  }
  assert.equal(await queued(), 'first.gcode 2, second.gcode 1')
})

test('they are reordered by a drag, and by a button', async () => {
  await page.getByRole('button', { name: 'Queue', exact: true }).click()
  const drag = async (name, onto) => {
    const from = await page.getByTestId(`grip-${name}`).boundingBox()
    const to = await page.getByTestId(`grip-${onto}`).boundingBox()
    const x = from.x + from.width / 2
    await page.mouse.move(x, from.y + from.height / 2)
    await page.mouse.down()
    for (let i = 1; i <= 8; i++) await page.mouse.move(x, from.y + from.height / 2 + ((to.y - from.y) * 1.2 * i) / 8)
    await shot('queue-drag')
    await page.mouse.up()
  }
  const finger = await page.context().newCDPSession(page)
  const swipe = async (name, onto) => {
    const middle = (b) => ({ x: b.x + b.width / 2, y: b.y + b.height / 2 })
    const from = middle(await page.getByTestId(`grip-${name}`).boundingBox())
    const to = middle(await page.getByTestId(`grip-${onto}`).boundingBox())
    await finger.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [from] })
    for (let i = 1; i <= 8; i++) await finger.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [{ x: from.x, y: from.y + ((to.y - from.y) * 1.2 * i) / 8 }] })
    await finger.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
  }
  await page.getByRole('button', { name: 'Take second.gcode out of the queue' }).scrollIntoViewIfNeeded()
  await drag('second.gcode', 'first.gcode')
  await until('the order of the drag', async () => (await queued()) === 'second.gcode 1, first.gcode 2')
  await until('the page shows it', async () => (await page.getByTestId('next').innerText()).includes('second.gcode'))
  await swipe('second.gcode', 'first.gcode')
  await until('the order of the finger', async () => (await queued()) === 'first.gcode 2, second.gcode 1')
  await until('the page shows it', async () => (await page.getByTestId('next').innerText()).includes('first.gcode'))
  await page.getByRole('button', { name: 'Move first.gcode down' }).focus()
  await page.keyboard.press('Enter')
  await until('the order of the button', async () => (await queued()) === 'second.gcode 1, first.gcode 2')
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label'))
  await until('the focus on the way back', async () => (await focused()) === 'Move first.gcode up') // it is the last, so it can only go up
  await page.keyboard.press('Enter')
  await until('the order of the button', async () => (await queued()) === 'first.gcode 2, second.gcode 1')
  await until('the page shows it', async () => (await page.getByTestId('next').innerText()).includes('first.gcode'))
  await shot('queue', true)
  await narrow('the queue')
})

test('the next is started when the bed is clear, and the spool gets shorter', async () => {
  const before = await leftMM()
  await tab('Print')
  const next = page.getByTestId('next')
  await next.getByText('Is the bed clear?').waitFor()
  await shot('print-next', true)
  await next.getByRole('button', { name: 'Bed is clear, print' }).click()
  await until('it is printed', async () => (await api('/v1/state')).last_job?.outcome === 'done')
  await until('a copy less', async () => (await queued()) === 'first.gcode 1, second.gcode 1')
  const used = before - (await leftMM())
  assert.ok(Math.abs(used - 400) < 1, `the spool has lost ${used} mm, the file takes 400`)
  const [print] = (await api('/v1/prints')).prints
  assert.ok(Math.abs(print.filament_mm - 400) < 1 && Math.abs(print.filament_g - 1.19) < 0.02 && print.spools === 'Acme PLA orange', JSON.stringify(print))
  await page.getByTestId('next').getByText('first.gcode').waitFor()
})

test('the last copy goes, and a file that is too long for the spool is warned of', async () => {
  await page.getByTestId('next').getByRole('button', { name: 'Bed is clear, print' }).click()
  await until('it is printed', async () => (await queued()) === 'second.gcode 1')
  const next = page.getByTestId('next')
  await next.getByText('second.gcode').waitFor()
  await next.getByRole('button', { name: 'Bed is clear, print' }).click()
  await next.getByText(/It needs 12\.0 m of filament, and "Acme PLA orange" has 9\.3 m left/).waitFor()
  await shot('print-warned', true)
  await next.getByRole('button', { name: 'Print anyway' }).click()
  await state('Printing')
  await page.getByTestId('spool').waitFor()
  await shot('printing', true)
})

test('the filament is changed in a pause', async () => {
  await until('it is hot, and prints', async () => (await api('/v1/state')).job?.line > 20)
  await page.getByRole('button', { name: 'Pause', exact: true }).click()
  await state('Paused')
  await tab('Move')
  await page.getByRole('button', { name: 'Change filament' }).click()
  const sheet = page.getByRole('dialog', { name: 'Change filament' })
  await sheet.getByRole('button', { name: 'Unload 100 mm' }).click()
  await until('it is pulled out', () => rig.executed().some((l) => l.startsWith('G1 E-100')))
  await sheet.getByRole('button', { name: 'Load 50 mm' }).click()
  await until('the new one is in', () => rig.executed().some((l) => l.startsWith('G1 E50')))
  await shot('change')
  await narrow('the change of filament')
  await sheet.getByRole('button', { name: 'Resume print' }).click()
  await state('Printing')
  const job = (await api('/v1/state')).job.id
  await api('/v1/do', { do: 'cancel', job })
  await until('it has ended', async () => (await api('/v1/state')).state === 'idle')
  await until('the queue keeps what was stopped', async () => (await queued()) === 'second.gcode 1')
  await page.getByText('The last print: stopped.').waitFor()
  await shot('after-stop', true)
  await tab('Files')
  await page.getByRole('button', { name: 'History' }).click()
  await page.getByText('Acme PLA orange').first().waitFor()
  await shot('history', true)
  assert.deepEqual(rig.errors, [])
})
