// A new version on the disk: Settings says that it waits, an owner lets it take over, and the page is there again.
// With SHOTS=DIR in the environment it leaves a picture there.
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, renameSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { after, before, test as run } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inaccessible, Rig, until } from './rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
const built = resolve(dirname(fileURLToPath(import.meta.url)), '../../bin/layerd')
const service = { INVOCATION_ID: '1', NOTIFY_SOCKET: '/nonexistent' } // as systemd starts it
let phone

before(async () => {
  rig.program = join(rig.dir, 'layerd')
  copyFileSync(built, rig.program)
  await rig.daemon(service)
  await rig.browser()
  phone = await rig.phone(`/#token=${rig.token()}`)
  await phone.getByRole('link', { name: 'Settings' }).click()
})
after(() => rig.end())

test('while there is none nothing is said', async () => {
  await phone.getByRole('heading', { name: 'About' }).waitFor()
  assert.equal(await phone.getByText('A new version').count(), 0)
})

test('a new one is said to wait', async () => {
  copyFileSync(built, `${rig.program}.new`)
  renameSync(`${rig.program}.new`, rig.program)
  const words = phone.getByText('A new version is installed')
  await words.waitFor({ timeout: 60_000 })
  await words.scrollIntoViewIfNeeded()
  assert.deepEqual(await inaccessible(phone), [])
  if (process.env.SHOTS) {
    mkdirSync(process.env.SHOTS, { recursive: true })
    await phone.screenshot({ path: join(process.env.SHOTS, 'new-version.png') })
  }
})

test('an owner lets it take over', async () => {
  const old = rig.layerd
  await phone.getByRole('button', { name: 'Restart now' }).click()
  await until('layerd asks to be started again', () => old.exitCode === 75)
  await rig.daemon(service)
  await until('the page is there again', async () => (await phone.getByText(/A new version/).count()) === 0)
  assert.deepEqual(rig.errors, [])
})
