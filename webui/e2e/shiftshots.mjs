// Pictures of a layer shift for docs/: the set-up, what it has found, the alarm and its evidence. Of a demo of its own, whose printer loses steps when it is told to;
// set-up and print run in real time, so this takes eight minutes.
import { join } from 'node:path'
import { Rig, tower, until } from './rig.mjs'

/** shootShifts takes them into the folder out. */
export async function shootShifts(out) {
  const rig = new Rig()
  try {
    const key = await rig.demo({}, '--demo-faults', 'lose@x:8:100000000') // the moment is ours
    const state = async () => (await rig.call(key, '/v1/state')).json()
    const act = (command) => rig.call(key, '/v1/do', { method: 'POST', body: JSON.stringify({ id: command.do, ...command }) })
    await rig.browser()
    await until('connected', async () => (await state()).state === 'idle')
    const page = await rig.phone(`/#token=${key}`, { deviceScaleFactor: 1.5 })
    const go = (to) => page.evaluate((hash) => { location.hash = hash }, to)
    const shoot = async (name) => {
      await page.waitForTimeout(1500)
      await page.screenshot({ path: join(out, `phone-${name}.png`) })
    }
    await go('#/settings/shifts')
    await act({ do: 'guard_setup', empty: true })
    await until('pictures', async () => (await state()).guard.setup?.step === 'pictures', 120_000)
    await page.getByRole('button', { name: 'Show the set-up' }).click()
    await shoot('shifts-setup')
    await until('the card', async () => (await state()).guard.card, 300_000)
    await page.getByRole('button', { name: 'Go on' }).click()
    await shoot('shifts')

    await act({ do: 'set_guard', guard: { ...(await state()).guard.settings, share_percent: 20 } }) // of a short print, looks and checks may take much
    await rig.call(key, '/v1/files/tower.gcode', { method: 'PUT', body: tower(24).text })
    await act({ do: 'start', file: 'tower.gcode', anyway: true, record: { mode: 'layer', every_s: 10, park: true } })
    await go('#/print')
    await until('the camera sees', async () => (await state()).guard.camera.status === 'ready' && (await state()).guard.layers.filter((l) => l.x_mm !== null).length > 2, 300_000)
    rig.layerd.kill('SIGUSR2')
    await act({ do: 'guard_check', job: '' })
    await until('the alarm', async () => (await state()).state === 'paused' && (await state()).guard.alarm?.pictures, 180_000)
    await shoot('shift-alarm')
    await page.getByRole('button', { name: 'What now?' }).click()
    await page.locator('.blink-arrows').waitFor()
    await shoot('shift-evidence')
  } finally {
    await rig.end()
  }
}
