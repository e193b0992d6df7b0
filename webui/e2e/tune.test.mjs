// Tuning as a person does it: the bed's picture, the printer's own settings, and the nozzle's height while it prints.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test as run } from 'node:test'
import { inaccessible, realFile, Rig, until } from './rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
let page, bearer

before(async () => {
  await rig.printer('--speed', '10', '--heat', '60', '--leveling', 'bilinear')
  await rig.daemon()
  await rig.browser()
  const key = rig.token()
  bearer = { authorization: `Bearer ${key}` }
  page = await rig.phone(`/#token=${key}`, { bypassCSP: true })
  await until('connected', async () => (await state()).state === 'idle')
})
after(() => rig.end())

const state = async () => (await fetch(`${rig.url}/v1/state`, { headers: bearer })).json()
const command = async (body) => {
  const answer = await fetch(`${rig.url}/v1/do`, { method: 'POST', headers: bearer, body: JSON.stringify(body) })
  assert.ok(answer.ok, await answer.text())
}
const executed = (line) => until(`${line} is executed`, () => rig.executed().includes(line))
const button = (name) => page.getByRole('button', { name })
const go = (hash) => page.evaluate((to) => { location.hash = to }, hash)

/** fine: nothing is too wide, too small to tap, or without a name. */
async function fine() {
  const size = page.viewportSize()
  await page.setViewportSize({ width: 320, height: 568 })
  await look()
  await page.setViewportSize(size)
  await look()
}

async function look() {
  assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= window.innerWidth), 'the page is too wide')
  const small = await page.evaluate(() => [...document.querySelectorAll('main button, main a, dialog button')].filter((e) => e.checkVisibility())
    .map((e) => ({ name: e.getAttribute('aria-label') ?? e.textContent, box: e.getBoundingClientRect() })).filter(({ box }) => box.width > 0 && Math.min(box.width, box.height) < 44).map(({ name }) => name))
  assert.deepEqual(small, [])
  assert.deepEqual(await inaccessible(page), [])
}

const shoot = async (name) => {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png`, fullPage: true })
}

test('the bed is measured, and its picture has the numbers', async () => {
  await go('#/settings/mesh')
  await page.getByText('No mesh was read yet').waitFor()
  assert.ok(await button('Probe now').isDisabled(), 'it can be measured before homing')
  await command({ do: 'home' })
  await until('homed', async () => (await state()).homed)
  await button('Probe now').click()
  await button('The bed is clear, measure').click()
  await page.getByRole('img', { name: /5 by 5 points/ }).waitFor()
  await executed('G29')
  assert.deepEqual((await page.locator('svg text').allTextContents()).slice(-5), ['+0.040', '+0.017', '+0.010', '+0.017', '+0.040'])
  await fine()
  await shoot('mesh')
  await page.reload()
  await page.getByText(/^Read \d/).waitFor() // it was kept
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.getByRole('img', { name: /5 by 5 points/ }).waitFor()
  await fine()
  await shoot('mesh-dark')
  await page.emulateMedia({ colorScheme: 'light' })
})

test("a setting in the printer's memory is changed and saved, and comes back from its copy", async () => {
  await go('#/settings/eeprom')
  await button(/^Change Steps per mm/).click()
  await page.getByLabel('E', { exact: true }).fill('415.5')
  await shoot('eeprom-change')
  await page.getByRole('button', { name: 'Change', exact: true }).click()
  await executed('M92 X80 Y80 Z400 E415.5')
  await page.getByText('Changed until the printer is switched off').waitFor()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await executed('M500')
  await button(/^Change Steps per mm.*E415.50/).waitFor()
  await button('Restore copy 1').waitFor()
  await until('not busy', () => button('Restore copy 1').isEnabled())
  await fine()
  await shoot('eeprom')
  await button('Restore copy 1').click()
  await page.getByRole('button', { name: 'Restore', exact: true }).click()
  await button(/^Change Steps per mm.*E500.00/).waitFor()
})

test('while it prints the nozzle is moved in small steps, and what was found is saved afterwards', async () => {
  const put = await fetch(`${rig.url}/v1/files/a.gcode`, { method: 'PUT', headers: bearer, body: readFileSync(realFile()) })
  assert.ok(put.ok, await put.text())
  await command({ id: 's', do: 'start', file: 'a.gcode', anyway: true })
  await go('#/print')
  await until('a layer', async () => (await state()).job?.layer > 0)
  const before = (await state()).position
  await button('Down 0.05 mm').click()
  await executed('M290 P0 Z-0.05')
  await button('Up 0.01 mm').click()
  await executed('M290 P0 Z0.01')
  await page.getByLabel('Sum of the steps').getByText('−0.04 mm').waitFor()
  assert.equal((await state()).tuning.babystep_mm, -0.04)
  await fine()
  await shoot('print')
  await button('More').click()
  await button(/Pressure advance plus 0.01/).click()
  await executed('M900 K0.01')
  await fine()
  await shoot('tune-sheet')
  await page.keyboard.press('Escape')
  assert.ok(before, 'the place of the head is known')
  await command({ do: 'cancel' })
  await until('idle', async () => (await state()).state === 'idle')
  await button('Save in the printer').click()
  await executed('M851 Z-1.29')
  await page.getByRole('region', { name: 'Tune' }).waitFor({ state: 'detached' })
  assert.deepEqual(rig.errors, [])
})
