// Layer shifts as a person meets them, on the demo: the set-up, a fire drill, a print that is watched, steps that are lost at a moment of ours, the
// alarm with the right offset and its evidence, X and Y homed anew, and the print that comes to its end.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test as run } from 'node:test'
import { inaccessible, Rig, tower, until } from '../rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
let page, bearer, key

const { layers, text } = tower(24)

before(async () => {
  key = await rig.demo({}, '--demo-faults', 'lose@x:8:100000000') // the moment is ours
  bearer = { authorization: `Bearer ${key}` }
  await rig.browser()
  page = await rig.phone(`/#token=${key}`, { bypassCSP: true })
  await until('connected', async () => (await state()).state === 'idle')
})
after(() => rig.end())

const state = async () => (await fetch(`${rig.url}/v1/state`, { headers: bearer })).json()
const button = (name) => page.getByRole('button', { name })

/** look: nothing is too wide, too small to tap, or without a name, in both schemes; and pictures, if wanted. */
async function look(name) {
  for (const scheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme: scheme })
    assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= window.innerWidth), 'the page is too wide')
    const small = await page.evaluate(() => [...document.querySelectorAll('.guard-chip, .layer-shift button, dialog :is(button, select, input[type=range], label.check)')].filter((e) => e.checkVisibility())
      .map((e) => ({ name: e.getAttribute('aria-label') ?? e.textContent, box: e.getBoundingClientRect() })).filter(({ box }) => Math.min(box.width, box.height) < 47.5).map(({ name }) => name))
    assert.deepEqual(small, [])
    assert.deepEqual(await inaccessible(page), [])
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}-${scheme}.png` })
  }
}

test('the set-up finds out what can be noticed', async () => {
  await page.evaluate(() => { location.hash = '#/settings/shifts' })
  await button('Set up').click()
  assert.ok(await button('Start the set-up').isDisabled())
  await page.getByLabel('The bed is empty, and nothing is in the way').check()
  await look('shifts-begin')
  await button('Start the set-up').click()
  await page.getByText('Keep your hands out of it.').waitFor()
  await look('shifts-running')
  await page.getByRole('heading', { name: 'This is what it can notice' }).waitFor({ timeout: 240_000 })
  const card = await page.getByRole('dialog').getByTestId('result-card').textContent()
  assert.match(card, /detects X ≥ [\d.]+ mm, Y ≥ [\d.]+ mm within 2 layers/)
  assert.match(card, /find 0\.35 mm or more/)
  await look('shifts-result')
  await button('Go on').click()
})

test('a fire drill shows what would have happened', async () => {
  await button('Make a fire drill').click()
  await button('The bed is empty, begin').click()
  const result = page.getByTestId('drill-result')
  await result.waitFor({ timeout: 120_000 })
  const words = await result.textContent()
  for (const want of ['and the print paused', 'X by 0.8 mm', 'X is off by 0.8 mm: 4 lost steps.']) assert.ok(words.includes(want), words)
  await result.scrollIntoViewIfNeeded()
  await look('shifts-drill')
})

test('a print is watched, and checked when somebody asks', async () => {
  const guard = { mode: 'pause', camera: 0, share_percent: 20, record: true, record_mb: 500 } // of a short print, looks and checks may take much
  for (const command of [{ do: 'set_guard', guard }, { do: 'start', file: 'tower.gcode', anyway: true, record: { mode: 'layer', every_s: 10, park: true } }]) {
    if (command.file) assert.ok((await fetch(`${rig.url}/v1/files/tower.gcode`, { method: 'PUT', headers: bearer, body: text })).ok)
    const done = await fetch(`${rig.url}/v1/do`, { method: 'POST', headers: bearer, body: JSON.stringify({ ...command, id: command.do }) })
    assert.ok(done.ok, await done.text())
  }
  await page.evaluate(() => { location.hash = '#/print' })
  const chip = page.getByTestId('guard-chip')
  await chip.getByText(/it learns from the first layers/).waitFor({ timeout: 60_000 }) // and never says that all is well meanwhile
  await chip.getByText(/^Watching · sees/).waitFor({ timeout: 120_000 })
  const before = (await state()).job.checks
  await chip.click()
  await button('Check now').click()
  await until('a check', async () => (await state()).job.checks > before, 120_000)
  const { job } = await state()
  assert.equal(job.check.verdict, 'right', JSON.stringify(job.check))
  await page.getByText(/Last check at the endstops: all is right/).waitFor()
  await look('shifts-watch')
  await page.getByRole('button', { name: 'Close', exact: true }).click()
  await look('shifts-chip')
})

test('lost steps are found: the alarm says how far, and shows it', async () => {
  await page.getByTestId('guard-chip').click()
  rig.layerd.kill('SIGUSR2')
  await button('Check now').click()
  const alarm = page.getByTestId('alarm')
  await alarm.waitFor({ timeout: 120_000 })
  await page.getByRole('button', { name: 'Close', exact: true }).click()
  await until('it stands', async () => (await state()).state === 'paused', 60_000)
  const now = await state()
  assert.equal(now.pause.by, 'shift')
  assert.ok(Math.abs(Math.abs(now.guard.alarm.x_mm) - 1.6) < 0.2 && Math.abs(now.guard.alarm.y_mm) < 0.2, JSON.stringify(now.guard.alarm))
  assert.match(await alarm.textContent(), /1\.6 mm/)
  assert.match(await alarm.textContent(), /8 lost steps/)
  await page.evaluate(() => window.scrollTo(0, 0))
  await look('shifts-alarm')
  await button('What now?').click()
  await page.getByRole('dialog').getByText('Who said what').waitFor()
  await until('pictures', () => page.locator('.blink img').evaluateAll((all) => all.length === 2 && all.every((one) => one.complete && one.naturalWidth > 0)))
  const says = page.getByTestId('blink-says')
  await page.getByRole('slider', { name: 'Before' }).fill('0')
  assert.equal(await says.textContent(), 'Before')
  await page.getByRole('slider', { name: 'Before' }).fill('100')
  await button('Hold: before').focus()
  await page.keyboard.down('Space')
  assert.equal(await says.textContent(), 'Before')
  await page.keyboard.up('Space')
  assert.equal(await says.textContent(), 'Now')
  await page.locator('.blink-arrows').getByText(/^X 1\.[56] mm$/).waitFor() // what was taken aside is seen to have gone aside
  await look('shifts-evidence')
})

test('X and Y are homed anew, the print goes on by itself, and comes to its end with every line once and in order', async () => {
  await button(/^Re-home X and Y, and resume/).click()
  await look('shifts-ask')
  await button('Re-home and resume').click()
  await page.getByRole('dialog').getByText('Re-homing X and Y').waitFor()
  await look('shifts-rehoming')
  await until('it prints on', async () => (await state()).state === 'printing', 180_000)
  await page.getByTestId('alarm').waitFor({ state: 'detached' })
  await page.getByTestId('guard-chip').waitFor()
  await until('the end', async () => (await state()).last_job?.outcome === 'done', 300_000)
  const moves = new Set(layers.flat().filter((line) => line.startsWith('G1 X')))
  assert.deepEqual(rig.executed().filter((line) => moves.has(line)), layers.flat().filter((line) => moves.has(line)))
})

test('the history keeps the evidence', async () => {
  await page.evaluate(() => { location.hash = '#/files' })
  await page.getByRole('group', { name: 'Show' }).getByRole('button', { name: 'History' }).click()
  await page.locator('.history-row').first().click()
  const past = page.getByTestId('past-alarm')
  await past.waitFor()
  const words = await past.textContent()
  assert.match(words, /1\.6 mm/)
  assert.match(words, /re-homed, and the print went on/)
  await past.scrollIntoViewIfNeeded()
  await until('its pictures', () => page.locator('.blink img').evaluateAll((all) => all.length === 2 && all.every((one) => one.complete && one.naturalWidth > 0)))
  await look('shifts-history')
})

test('what was looked at was recorded, is taken away as an archive, and deleted', async () => {
  await page.keyboard.press('Escape')
  await page.evaluate(() => { location.hash = '#/settings/shifts' })
  await page.getByRole('list', { name: 'Recorded prints' }).getByRole('button', { name: /^tower\.gcode/ }).click()
  const coming = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download' }).click()
  const download = await coming
  assert.match(download.suggestedFilename(), /^layerd-shifts-[0-9a-z]+\.zip$/)
  const archive = readFileSync(await download.path(), 'latin1')
  assert.ok(archive.startsWith('PK\x03\x04') && archive.includes('PK\x05\x06'), 'it is no zip archive, or not all of one')
  assert.match(archive, /\/0001-0\.jpg[^]*\/0001\.json/)
  await look('shifts-recording')
  await button('Delete').click()
  await button('Delete').click()
  await page.getByRole('list', { name: 'Recorded prints' }).waitFor({ state: 'detached' })
  assert.equal((await (await rig.call(key, '/v1/recordings')).json()).recordings.length, 0)
  assert.deepEqual(rig.errors, [])
})
