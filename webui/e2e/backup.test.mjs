// A backup, as an owner makes it on the phone: asked again who he is, downloaded, restored into a new layerd, and in with the old password.
// With SHOTS=DIR in the environment a picture of the page is left there.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, before, test as run } from 'node:test'
import { inaccessible, Rig, stop, until } from './rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
const password = 'four words are enough'
const layerd = join(dirname(fileURLToPath(import.meta.url)), '../../bin/layerd')
let ann, saved

const ready = (page) => until('the printer is ready', async () => (await page.getByTestId('state').innerText()) === 'Ready')

before(async () => {
  await rig.printer('--speed', '20', '--heat', '100')
  await rig.daemon()
  await rig.browser()
})
after(() => rig.end())

test('the first owner opens Settings, Backup', async () => {
  ann = await rig.phone(`/${rig.setup()}`, { bypassCSP: true })
  await ann.getByLabel('Name').fill('Ann')
  await ann.getByLabel('Password', { exact: true }).fill(password)
  await ann.getByRole('button', { name: 'Become the owner' }).click()
  await ready(ann)
  const put = await ann.evaluate(async () => (await fetch('/v1/files/parts/cube.gcode', { method: 'PUT', body: 'G28\nG1 X10 Y10 E1 F1200\n' })).status)
  assert.equal(put, 201)
  await ann.goto(`${rig.url}/#/settings`)
  await ann.getByRole('link', { name: /^Backup/ }).click()
  await ann.getByRole('heading', { name: 'Back up', exact: true }).waitFor()
  if (process.env.SHOTS) {
    mkdirSync(process.env.SHOTS, { recursive: true })
    await ann.screenshot({ path: join(process.env.SHOTS, 'backup.png'), fullPage: true })
  }
  assert.deepEqual(await inaccessible(ann), [])
  assert.equal(await ann.evaluate(() => document.scrollingElement.scrollWidth), 390)
})

test('the file is downloaded when the password was given once more', async () => {
  await ann.getByLabel('Uploaded files, too').check()
  await ann.getByRole('button', { name: 'Download a backup' }).click()
  const sheet = ann.getByRole('dialog', { name: 'Is it you?' })
  await sheet.getByLabel('Your password', { exact: true }).fill(password)
  const [download] = await Promise.all([ann.waitForEvent('download'), sheet.getByRole('button', { name: 'Go on' }).click()])
  assert.match(download.suggestedFilename(), /^layerd-.+-\d{4}-\d\d-\d\d\.layerd-backup$/)
  saved = join(rig.dir, 'saved.layerd-backup')
  await download.saveAs(saved)
  assert.ok(statSync(saved).size > 1000)
  await ann.getByText(/Your browser is fetching/).waitFor()
  if (process.env.SHOTS) await ann.screenshot({ path: join(process.env.SHOTS, 'backup-done.png'), fullPage: true })
  assert.match(execFileSync(layerd, ['backup', '--check', saved], { encoding: 'utf8' }), /can be restored: .*uploads/)
})

test('who is not the owner gets none', async () => {
  const asked = await fetch(`${rig.url}/v1/backup`, { headers: { authorization: `Bearer ${rig.token('operator')}` } })
  assert.equal(asked.status, 403)
})

test('a fresh layerd is given it by its set-up link, and takes the old password', async () => {
  await stop(rig.layerd)
  rmSync(rig.data, { recursive: true })
  await rig.daemon()
  await until('the link is printed', () => rig.layerd.said.includes('#setup='))
  const page = await rig.phone(`/${rig.setup()}`, { bypassCSP: true })
  await page.getByText('I have a backup').click()
  await page.getByLabel('Backup of a layerd').setInputFiles({ name: 'a.layerd-backup', mimeType: 'application/gzip', buffer: Buffer.from('G28\n') })
  await page.getByRole('button', { name: 'Restore it' }).click()
  await page.getByText(/no backup of layerd/).waitFor()
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, 'restore.png'), fullPage: true })
  assert.deepEqual(await inaccessible(page), [])
  await page.getByLabel('Backup of a layerd').setInputFiles(saved)
  await page.getByRole('button', { name: 'Restore it' }).click()
  await page.getByRole('heading', { name: 'Log in' }).waitFor()
  await page.getByLabel('Name').fill('Ann')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Log in' }).first().click()
  await ready(page)
  await page.goto(`${rig.url}/#/files`)
  await page.getByText('parts').first().waitFor()
  await page.context().close()
})

test('a new layerd restores it on start, and takes the old password', async () => {
  await stop(rig.layerd)
  rmSync(rig.data, { recursive: true })
  mkdirSync(rig.data)
  cpSync(saved, join(rig.data, 'restore.layerd-backup'))
  await rig.daemon()
  const page = await rig.phone('/')
  await page.getByLabel('Name').fill('Ann')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Log in' }).first().click()
  await ready(page)
  await page.goto(`${rig.url}/#/files`)
  await page.getByText('parts').first().waitFor()
  assert.deepEqual(rig.errors, [])
})
