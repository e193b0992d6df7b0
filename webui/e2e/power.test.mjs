// Power and light, in a browser: a plug that is set up and tested, switches the printer off and on, and goes off by itself after a print; a lamp on another; and
// layerd that is restarted from the page.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, test as run } from 'node:test'
import { inaccessible, realFile, Rig, until } from './rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
const file = realFile()
const shots = join(import.meta.dirname, 'out')
let page, key

/** A Shelly plug of the second generation, by its maker's API documentation. onSwitch is what hangs on it. */
class Plug {
  on = true
  asked = []
  onSwitch = () => {}
  async start() {
    this.server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url, 'http://plug')
      this.asked.push(request.url)
      if (pathname === '/rpc/Switch.Set') {
        const was = this.on
        this.on = searchParams.get('on') === 'true'
        if (was !== this.on) this.onSwitch(this.on)
        response.end(JSON.stringify({ was_on: was }))
      } else if (pathname === '/rpc/Switch.GetStatus') {
        response.end(JSON.stringify({ id: 0, source: 'HTTP_in', output: this.on, apower: 8.9 }))
      } else {
        response.writeHead(404).end()
      }
    })
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done))
    this.url = `http://127.0.0.1:${this.server.address().port}`
  }
}

const plug = new Plug()
const light = new Plug()
const sim = ['--speed', '60', '--heat', '60']

before(async () => {
  mkdirSync(shots, { recursive: true })
  await Promise.all([plug.start(), light.start()])
  light.on = false
  await rig.printer(...sim)
  await rig.daemon({ RUNTIME_DIRECTORY: rig.dir, INVOCATION_ID: '1', NOTIFY_SOCKET: '/nonexistent' }) // as systemd starts it
  await rig.browser()
  key = rig.token()
  page = await rig.phone(`/#token=${key}`)
})
after(async () => {
  plug.server.close()
  light.server.close()
  await rig.end()
})

const state = async () => (await rig.call(key, '/v1/state')).json()
const shown = (wanted) => until(`state ${wanted}`, async () => (await page.getByTestId('state').innerText()) === wanted)
const go = (hash) => page.goto(`${rig.url}/${hash}`)
const button = (name) => page.getByRole('button', { name, exact: true })
const power = () => page.getByTestId('power')
const shot = (name) => page.screenshot({ path: join(shots, `power-${name}.png`), fullPage: true })

test('a plug is tested, and set up', async () => {
  await shown('Ready')
  assert.equal(await power().count(), 0)
  await go('#/settings/power')
  await page.getByLabel('Power is switched by').selectOption('shelly2')
  const form = page.getByRole('form', { name: 'Power' })
  await form.getByLabel('Address').fill(plug.url)
  await form.getByRole('button', { name: 'Test' }).click()
  const sheet = page.getByRole('dialog', { name: 'Is it you?' })
  await sheet.getByLabel('Your key').fill(key)
  await sheet.getByRole('button', { name: 'Go on' }).click()
  await form.getByText('It answers: On.').waitFor()
  await form.getByText('"output":true').waitFor()
  assert.deepEqual(plug.asked, ['/rpc/Switch.GetStatus?id=0'])
  await shot('set-up')
  assert.deepEqual(await inaccessible(page), [])
  await form.getByRole('button', { name: 'Save power' }).click()
  await page.getByText('Saved.').waitFor()
  await until('the power', async () => (await state()).power?.on === 'on')
  await page.getByText('sudo reboot').waitFor()
})

test('a plug that is not there is said so, and a bad address refused', async () => {
  const form = page.getByRole('form', { name: 'Power' })
  await form.getByLabel('Address').fill('http://127.0.0.1:1')
  await form.getByRole('button', { name: 'Test' }).click()
  await form.getByText(/The plug does not answer/).waitFor()
  await form.getByLabel('Address').fill('ftp://plug')
  await form.getByRole('button', { name: 'Save power' }).click()
  await form.getByRole('alert').getByText(/like http:\/\/192/).waitFor()
  await page.reload()
  await until('what was kept', async () => (await page.getByRole('form', { name: 'Power' }).getByLabel('Address').inputValue()) === plug.url)
})

test('a lamp on another plug', async () => {
  await page.getByLabel('Lamp is switched by').selectOption('shelly2')
  const form = page.getByRole('form', { name: 'Lamp' })
  await form.getByLabel('Address').fill(light.url)
  await form.getByRole('button', { name: 'Save lamp' }).click()
  await page.getByText(/Saved/).waitFor()
  await go('#/print')
  await button('Lamp').click()
  await until('light', () => light.on)
  await page.getByRole('button', { name: 'Lamp', pressed: true }).waitFor()
})

test('off asks first; the printer that is gone is switched off, and no fault', async () => {
  await power().getByText('On', { exact: true }).waitFor()
  await shot('on')
  await power().getByRole('button', { name: 'Switch off' }).click()
  plug.onSwitch = (on) => void (on ? rig.printer(...sim) : rig.sim.kill())
  const sheet = page.getByRole('alertdialog')
  await sheet.getByText('Nothing is hot.').waitFor()
  await sheet.getByRole('button', { name: 'Switch off' }).click()
  await page.getByRole('heading', { name: 'The printer is switched off' }).waitFor()
  await shown('Switched off')
  const now = await state()
  assert.equal(now.state, 'disconnected')
  assert.equal(now.fault, null)
  assert.equal(plug.on, false)
  await shot('off')
  assert.deepEqual(await inaccessible(page), [])
})

test('on connects the printer by itself', async () => {
  await power().getByRole('button', { name: 'Switch on' }).click()
  await shown('Ready')
  assert.equal(plug.on, true)
})

test('a hot nozzle keeps its fan: off after cool-down', async () => {
  await rig.call(key, '/v1/do', { method: 'POST', body: JSON.stringify({ do: 'set_nozzle', target_c: 200 }) })
  await until('heat', async () => (await state()).nozzles[0]?.actual_c > 100)
  await power().getByRole('button', { name: 'Switch off' }).click()
  const sheet = page.getByRole('alertdialog')
  await sheet.getByText(/its fan would stop/).waitFor()
  await shot('hot')
  await sheet.getByRole('button', { name: 'Off after cool-down' }).click()
  await power().getByText(/Goes off by itself once the nozzle is below 50/).waitFor()
  await shot('cooling')
  await rig.call(key, '/v1/do', { method: 'POST', body: JSON.stringify({ do: 'set_nozzle', target_c: 0 }) })
  await power().getByText('It stays on: somebody uses the printer.').waitFor()
  assert.equal(plug.on, true)
})

test('after a print that was started so it cools, counts down, and is kept on by a tap', async () => {
  await go('#/files')
  await page.getByLabel('G-code files to upload').setInputFiles(file)
  await page.getByRole('list', { name: 'Uploads' }).getByRole('link', { name: 'Open' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Print' }).click()
  await page.getByLabel('Switch the power off afterwards, once all is cool').check()
  await shot('start')
  await button('Bed is clear, print').click()
  await power().getByText('Goes off after this print, once all is cool.').waitFor()
  assert.equal(await power().getByRole('button', { name: 'Switch off' }).count(), 0)
  await until('the print to end', async () => (await state()).last_job?.outcome === 'done', 120_000)
  await power().getByRole('timer').getByText(/Power off in \d/).waitFor({ timeout: 120_000 })
  await shot('counting')
  assert.deepEqual(await inaccessible(page), [])
  await power().getByRole('button', { name: 'Keep on' }).click()
  await power().getByText('It stays on: somebody wants it so.').waitFor()
  assert.equal(plug.on, true)
})

test('a minute later the power is off', async () => {
  await rig.call(key, '/v1/do', { method: 'POST', body: JSON.stringify({ do: 'power_after', on: true }) })
  await power().getByRole('timer').waitFor()
  await until('off', () => !plug.on, 90_000)
  await page.getByRole('heading', { name: 'The printer is switched off' }).waitFor()
  assert.equal((await state()).fault, null)
})

test('layerd is restarted by holding a button', async () => {
  await go('#/settings/power')
  const ended = new Promise((done) => rig.layerd.once('exit', done))
  await page.getByRole('button', { name: /^Restart layerd/ }).hover()
  await page.mouse.down()
  await page.getByText('It restarts.').waitFor()
  await page.mouse.up()
  assert.equal(await ended, 75)
  assert.equal(plug.on, false)
  assert.deepEqual(rig.errors, [])
})
