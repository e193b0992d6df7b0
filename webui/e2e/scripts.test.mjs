// What an owner sets up on the page reaches the printer: a profile, a script, a button. And the pages for it suit a phone.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { after, before, test as run } from 'node:test'
import { inaccessible, Rig, until } from './rig.mjs'

const out = process.env.SHOTS && resolve(process.env.SHOTS)
const rig = new Rig()
const test = rig.steps(run)
let page, key

before(async () => {
  await rig.printer('--speed', '4', '--heat', '60')
  await rig.daemon()
  await rig.browser()
  key = rig.token()
  page = await rig.phone(`/#token=${key}`)
  await until('ready', async () => (await page.getByTestId('state').innerText()) === 'Ready')
})
after(() => rig.end())

const tab = (name) => page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name }).click()
const settings = async (name) => {
  await tab('Settings')
  await page.getByRole('navigation', { name: 'More settings' }).getByRole('link', { name }).click()
}
const shoot = async (name) => {
  if (!out) return
  mkdirSync(out, { recursive: true })
  await page.screenshot({ path: join(out, `${name}.png`) })
}

test('a profile is saved under a name and chosen', async () => {
  await settings('Printer profiles')
  await page.getByRole('button', { name: 'Add a profile' }).click()
  const sheet = page.getByRole('dialog')
  await sheet.getByLabel('Start from').selectOption('Creality CR-10')
  await sheet.getByLabel('Name').fill('Workshop')
  await shoot('profile-add')
  await sheet.getByRole('button', { name: 'Save profile' }).click()
  const saved = page.getByRole('region', { name: 'Saved profiles' })
  await saved.getByRole('button', { name: /Workshop.*300 × 300 × 400/ }).click()
  await sheet.getByRole('button', { name: 'Use this profile' }).click()
  await saved.getByRole('listitem').filter({ hasText: 'Workshop' }).getByText('In use').waitFor()
  assert.equal(await page.getByLabel('Width, X').inputValue(), '300')
  await page.getByLabel('Tools', { exact: true }).fill('2')
  await page.getByLabel('Tool 2, X from tool 1').fill('18')
  await page.getByRole('form', { name: 'Printer profile' }).getByRole('button', { name: 'Save profile' }).click()
  await saved.getByText('2 nozzles').waitFor()
  await shoot('profiles')
  await page.getByRole('banner').getByText('Workshop').waitFor()
})

test('a script with a line that is not possible is refused at that line, then saved', async () => {
  await settings('Scripts')
  const started = page.getByLabel('Print starts', { exact: true })
  await started.fill('M117 Begin at {park_x_mm}\nM112')
  await page.getByRole('button', { name: 'Save scripts' }).click()
  await page.getByRole('alert').getByText(/Line 2.*M112.*is the emergency stop/).waitFor()
  await shoot('script-refused')
  await started.fill('M117 Begin at {park_x_mm}')
  await page.getByRole('button', { name: 'Save scripts' }).click()
  await page.getByText('The scripts are saved.').waitFor()
  await page.reload()
  assert.equal(await started.inputValue(), 'M117 Begin at {park_x_mm}')
  await page.getByText('Values in braces').click()
  await page.getByText('{layer}', { exact: true }).waitFor()
  await shoot('scripts')
})

test('a button with a question and a number is made', async () => {
  await settings('Buttons')
  await page.getByRole('button', { name: 'Add a group' }).click()
  await page.getByLabel('Name of the group').fill('My buttons')
  await page.getByRole('button', { name: 'Save group' }).click()
  for (const label of ['Light', 'Preheat']) {
    await page.getByRole('region', { name: 'My buttons' }).getByRole('button', { name: 'Add a button' }).click()
    const sheet = page.getByRole('dialog')
    await sheet.getByLabel('Label').fill(label)
    await sheet.getByLabel('G-code, 1 to 20 lines').fill(label === 'Light' ? 'M355 S1' : 'M104 S{value}\nM117 Warm at {value}')
    if (label === 'Preheat') {
      await sheet.getByLabel('Question before, if any').fill('Is filament at hand?')
      await sheet.getByLabel('It asks for a number').check()
      for (const [name, value] of [['Name', 'Temperature'], ['Unit', '°C'], ['Least', '150'], ['Greatest', '500'], ['Step', '5'], ['Begins at', '200']]) await sheet.getByLabel(name, { exact: true }).fill(value)
      await sheet.getByRole('button', { name: 'Save button' }).click()
      await sheet.getByRole('alert').getByText(/Line 1.*a target of 500/).waitFor()
      await shoot('button-refused')
      await sheet.getByLabel('Greatest', { exact: true }).fill('250')
    }
    await sheet.getByRole('button', { name: 'Save button' }).click()
    await sheet.waitFor({ state: 'hidden' })
  }
  await page.getByRole('button', { name: 'Move Preheat up' }).click()
  await until('Preheat comes first', async () => (await page.getByRole('region', { name: 'My buttons' }).getByRole('listitem').first().innerText()).includes('Preheat'))
  await shoot('buttons')
})

test('it is pressed on the Move screen, and the printer does it', async () => {
  await tab('Move')
  await page.getByRole('region', { name: 'Head' }).waitFor()
  await page.getByRole('region', { name: 'My buttons' }).getByRole('button', { name: 'Preheat', exact: true }).click()
  const asked = page.getByRole('alertdialog')
  await asked.getByText('Is filament at hand?').waitFor()
  await asked.getByRole('button', { name: 'Temperature plus 5' }).click()
  await shoot('button-asks')
  await asked.getByRole('button', { name: 'Preheat', exact: true }).click()
  await until('M104 S205 executed', () => rig.executed().includes('M104 S205'))
  await until('the second line too', () => rig.executed().includes('M117 Warm at 205'))
  await shoot('move')
})

test('the script runs before the first line of a file', async () => {
  const put = await page.evaluate(() => fetch('/v1/files/tiny.gcode', { method: 'PUT', body: 'M117 first line\nG28\n' + 'G1 X5 Y5 E1 F3000\nG1 X50 Y50 E2\n'.repeat(5) }).then((r) => r.status))
  assert.equal(put, 201)
  const began = await page.evaluate(() => fetch('/v1/do', { method: 'POST', body: JSON.stringify({ do: 'start', file: 'tiny.gcode', anyway: true }) }).then((r) => r.json()))
  assert.equal(began.error, undefined)
  await until('the first line of the file', () => rig.executed().includes('M117 first line'))
  const lines = rig.executed()
  assert.ok(lines.includes('M117 Begin at 5'), lines.join('\n'))
  assert.ok(lines.indexOf('M117 Begin at 5') < lines.indexOf('M117 first line'), lines.join('\n'))
})

test('the pages fit a phone, can be tapped, and are accessible', async () => {
  const found = []
  for (const [viewport, colorScheme] of [[{ width: 320, height: 568 }, 'light'], [{ width: 390, height: 844 }, 'dark'], [{ width: 1280, height: 800 }, 'light']]) {
    const look = await rig.phone(`/#token=${key}`, { viewport, colorScheme, bypassCSP: true })
    await look.getByTestId('state').waitFor()
    for (const [at, ready] of [['profiles', 'Saved profiles'], ['scripts', 'Scripts'], ['buttons', 'My buttons']]) {
      await look.evaluate((to) => { location.hash = `#/settings/${to}` }, at)
      await look.getByLabel(ready, { exact: true }).first().waitFor()
      found.push(...(await inaccessible(look)).map((w) => `${at}, ${viewport.width}: ${w}`))
      found.push(...await look.evaluate(({ at, width }) => {
        const wrong = []
        const wide = document.scrollingElement.scrollWidth - window.innerWidth
        if (wide > 0) wrong.push(`${wide} px too wide`)
        for (const e of document.querySelectorAll('main button, main a, main select, main textarea, main summary, main label.check, main input:not([type=checkbox])')) {
          const box = e.getBoundingClientRect()
          if (e.checkVisibility() && box.width > 0 && Math.min(box.width, box.height) < 47.5) wrong.push(`too small: ${e.getAttribute('aria-label') ?? e.textContent.trim() ?? e.id} ${box.width}×${box.height}`)
        }
        return wrong.map((w) => `${at}, ${width}: ${w}`)
      }, { at, width: viewport.width }))
      if (out && viewport.width === 320) await look.screenshot({ path: join(out, `small-${at}.png`) })
      if (out && viewport.width === 1280) await look.screenshot({ path: join(out, `desktop-${at}.png`) })
    }
    await look.context().close()
  }
  assert.deepEqual(found, [])
  assert.deepEqual(rig.errors, [])
})
