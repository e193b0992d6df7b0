// How the machine does, in a browser: what is bad stands first and says what to do; in mid-print it is said once, and can be put away; people without the
// right see no more than is theirs. The data lies in memory here, which is bad: it would be lost with the power.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test as run } from 'node:test'
import { inaccessible, realFile, Rig, until } from './rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
const memory = mkdtempSync('/dev/shm/layerd-e2e-')
rig.data = join(memory, 'data')
const file = realFile()
const shots = process.env.SHOTS
let page, key

before(async () => {
  await rig.printer('--speed', '4', '--heat', '60')
  await rig.daemon()
  await rig.browser()
  key = rig.token()
  page = await rig.phone(`/#token=${key}`)
})
after(async () => {
  await rig.end()
  rmSync(memory, { recursive: true, force: true })
})

const settings = (at = '') => page.goto(`${rig.url}/#/settings${at}`)
const photograph = (name, of = page) => shots ? of.screenshot({ path: join(shots, `${name}.png`), fullPage: true }) : undefined

test('Settings say in one line what is bad, and lead there', async () => {
  await settings()
  const row = page.getByRole('link', { name: /Health/ })
  await row.getByText(/Disk: .*lies in memory/).waitFor()
  await photograph('settings')
  await row.click()
  await page.getByRole('region', { name: 'Disk' }).waitFor()
})

test('the page has what is to be fixed first, and what to do about it', async () => {
  const health = page.getByTestId('health')
  const disk = health.getByRole('region', { name: 'Disk' })
  await disk.getByText('What to do: Choose a directory on a disk or card').waitFor()
  assert.equal(await disk.getAttribute('data-level'), 'bad')
  const levels = await health.locator('[data-level]').evaluateAll((all) => all.map((one) => one.dataset.level))
  const order = ['bad', 'warn', 'note', 'unknown', 'ok']
  assert.deepEqual(levels, levels.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)), 'the worst is first')
  await health.getByRole('list', { name: 'Everything else' }).getByText(/free for programs/).or(health.getByRole('region', { name: 'Memory' })).first().waitFor()
  await photograph('health')
})

test('it fits a phone, and everybody can read it', async () => {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.equal(wide, 0, 'it scrolls sideways')
  assert.deepEqual(await inaccessible(page), [])
  await page.emulateMedia({ colorScheme: 'dark' })
  assert.deepEqual(await inaccessible(page), [])
  await photograph('health-dark')
  await page.emulateMedia({ colorScheme: 'light' })
})

test('a terminal says the same, and that layerd runs', async () => {
  const { status, stdout } = spawnSync(join(import.meta.dirname, '../../bin/layerd'), ['doctor', '--json', '--data', rig.data, '--listen', rig.address], { encoding: 'utf8' })
  const { level, checks } = JSON.parse(stdout)
  assert.equal(status, 1)
  assert.equal(level, 'bad')
  const of = (id) => checks.find((c) => c.id === id)
  assert.match(of('disk').found, /lies in memory/)
  assert.match(of('daemon').found, /It runs, and its page answers/)
  const table = spawnSync(join(import.meta.dirname, '../../bin/layerd'), ['doctor', '--data', rig.data, '--listen', rig.address], { encoding: 'utf8' }).stdout
  assert.match(table, /^BAD +Disk/m)
  assert.match(table, /→ Choose a directory on a disk/)
})

test('in mid-print it is said once, and can be put away', async () => {
  const warning = page.getByTestId('host-warning')
  await page.goto(`${rig.url}/#/files`)
  await page.getByLabel('G-code files to upload').setInputFiles(file)
  await page.getByRole('list', { name: 'Uploads' }).getByRole('link', { name: 'Open' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Print' }).click()
  await page.getByRole('button', { name: 'Bed is clear, print' }).click()
  await warning.getByText(/Disk: .*lies in memory/).waitFor()
  await photograph('print')
  assert.deepEqual(await inaccessible(page), [])
  await warning.getByRole('button', { name: 'Put this away' }).click()
  await until('it is put away', async () => (await warning.count()) === 0)
  await settings()
  await page.goto(`${rig.url}/#/print`)
  await page.getByTestId('state').waitFor()
  assert.equal(await warning.count(), 0, 'it nags')
})

test('who may only look is not told where the data lies', async () => {
  const guest = await rig.phone(`/#token=${rig.token('viewer')}`)
  await guest.getByTestId('host-warning').getByText('Disk').waitFor()
  assert.doesNotMatch(await guest.getByTestId('host-warning').innerText(), /shm|memory/)
  await guest.goto(`${rig.url}/#/settings`)
  await guest.getByRole('region', { name: 'About' }).waitFor()
  assert.equal(await guest.getByRole('link', { name: /Health/ }).count(), 0)
})

test('graphs have it too', async () => {
  const text = await (await rig.call(key, '/metrics')).text()
  assert.match(text, /^layerd_host_health\{level="bad"\} 1$/m)
  assert.match(text, /^layerd_line_turnaround_seconds_bucket\{le="\+Inf"\} [1-9]\d*$/m)
  assert.match(text, /^layerd_camera_frames_total\{camera="0"\} [1-9]\d*$/m)
  assert.equal((await (await fetch(`${rig.url}/healthz`)).text()).trim(), 'ok')
  const tool = process.env.PROMTOOL
  if (tool) assert.equal(execFileSync(tool, ['check', 'metrics'], { input: text, encoding: 'utf8' }), '')
})

test('nothing went wrong on the pages', () => assert.deepEqual(rig.errors, []))
