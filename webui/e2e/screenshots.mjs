// Takes the pictures of docs/ anew, of the demo with a real file. The print runs in real time, so this takes minutes: `make screenshots`.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { quickFile, realFile, Rig, stop, until } from './rig.mjs'
import { shootShifts } from './shiftshots.mjs'

const out = resolve(import.meta.dirname, '../../docs/screenshots')
const file = quickFile() ?? realFile()
const layer = Number(process.env.LAYER ?? 20)
mkdirSync(out, { recursive: true })

const rig = new Rig()
const demo = spawn(resolve(import.meta.dirname, '../../bin/layerd'), ['--demo', '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] })
try {
  const address = await new Promise((found) => demo.stdout.on('data', (b) => /http\S+#token=\S+/.test(b) && found(/http\S+#token=\S+/.exec(b)[0])))
  const [url, key] = address.split('/#token=')
  rig.url = url
  const bearer = { authorization: `Bearer ${key}` }
  const call = async (path, init = {}) => {
    const answer = await fetch(`${url}${path}`, { ...init, headers: bearer })
    if (!answer.ok) throw new Error(await answer.text())
    return answer.json().catch(() => null)
  }
  await rig.browser()
  await until('connected', async () => (await call('/v1/state')).state === 'idle')
  await call(`/v1/files/${encodeURIComponent(basename(file))}`, { method: 'PUT', body: readFileSync(file) })
  const act = (command) => call('/v1/do', { method: 'POST', body: JSON.stringify(command) })
  await act({ do: 'save_spool', spool: { name: 'PLA orange', material: 'PLA', colour: '#e8762c', diameter_mm: 1.75, density_g_cm3: 1.24, weight_g: 1000 } })
  await act({ do: 'set_spool', tool: 0, spool_id: 1 })
  await act({ do: 'queue_add', file: basename(file), copies: 2 })
  await act({ do: 'home' })
  await until('homed', async () => (await call('/v1/state')).homed)
  await call('/v1/mesh/probe', { method: 'POST' })
  await call('/v1/do', { method: 'POST', body: JSON.stringify({ id: 's', do: 'start', file: basename(file), anyway: true }) })
  await until(`layer ${layer}`, async () => (await call('/v1/state')).job?.layer >= layer, 30 * 60_000)

  const shoot = async (name, options, screens) => {
    const page = await rig.phone(`/#token=${key}`, options)
    for (const screen of screens) {
      await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: screen }).click()
      if (screen === 'Print') await page.getByText(/^Live/).waitFor()
      await page.waitForTimeout(1500)
      await page.screenshot({ path: join(out, `${name}-${screen.toLowerCase()}.png`) })
    }
    await page.context().close()
  }
  const all = ['Print', 'Files', 'Move', 'Console', 'Settings']
  await shoot('phone', { deviceScaleFactor: 1.5 }, all)
  await shoot('phone-dark', { deviceScaleFactor: 1.5, colorScheme: 'dark' }, ['Print', 'Files'])
  const page = await rig.phone(`/#token=${key}`, { deviceScaleFactor: 1.5 })
  for (const at of ['cameras', 'safety', 'mesh', 'profiles', 'scripts', 'buttons', 'spools']) {
    await page.evaluate((to) => { location.hash = `#/settings/${to}` }, at)
    await page.waitForTimeout(1500)
    await page.screenshot({ path: join(out, `phone-${at}.png`) })
  }
  await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Files' }).click()
  for (const view of ['Queue', 'History']) {
    await page.getByRole('group', { name: 'Show' }).getByRole('button', { name: view }).click()
    await page.waitForTimeout(1500)
    await page.screenshot({ path: join(out, `phone-${view.toLowerCase()}.png`) })
  }
  await page.getByRole('group', { name: 'Show' }).getByRole('button', { name: 'Files', exact: true }).click()
  await page.evaluate((to) => { location.hash = `#/files/${to}` }, encodeURIComponent(basename(file)))
  await page.locator('.file-facts').waitFor()
  await page.waitForTimeout(1500)
  await page.screenshot({ path: join(out, 'phone-file.png') })
  await page.evaluate(() => { location.hash = '#/print' })
  await page.getByRole('button', { name: 'Show the layers' }).click()
  await page.waitForTimeout(2500)
  await page.screenshot({ path: join(out, 'phone-layers.png') })
  const slider = page.getByRole('slider', { name: 'Layer', exact: true })
  await slider.focus()
  await slider.press('End')
  await page.getByRole('button', { name: '3D' }).click()
  await until('all in space', () => page.locator('canvas.viewer-canvas').evaluate((c) => c.dataset.loaded === '1' && c.dataset.complete === '1'))
  await page.screenshot({ path: join(out, 'phone-layers-3d.png') })
  await page.context().close()
  await shoot('desktop', { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1 }, ['Print', 'Move', 'Settings'])
} finally {
  await stop(demo, 'SIGKILL')
  await rig.end()
}
await shootShifts(out)
