// Pauses at a layer as a person sets them: before the start by height, in mid-print by layer with new filament; the print stands before exactly that line.
import assert from 'node:assert/strict'
import { after, before, test as run } from 'node:test'
import { inaccessible, Rig, until } from './rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
let page, bearer

/** Ten layers of moves that stand nowhere else; layer n, from 1, is at n × 0.2 mm. */
const layers = Array.from({ length: 10 }, (_, l) => [`G1 Z${((l + 1) * 0.2).toFixed(1)} F600`, ...Array.from({ length: 40 }, (_, i) => `G1 X${50 + (i % 2) * 40}.${l}${String(i).padStart(2, '0')} Y${60 + i} E0.5 F3000`)])
const text = `G28\nM109 S200\nG90\nM83\n${layers.map((moves, l) => `;LAYER:${l}\n${moves.join('\n')}\n`).join('')}M104 S0\n`

before(async () => {
  await rig.printer('--firmware', 'marlin2-plain', '--speed', '4', '--heat', '60')
  await rig.daemon()
  await rig.browser()
  const key = rig.token()
  bearer = { authorization: `Bearer ${key}` }
  page = await rig.phone(`/#token=${key}`, { bypassCSP: true })
  await until('connected', async () => (await state()).state === 'idle')
  const put = await fetch(`${rig.url}/v1/files/tower.gcode`, { method: 'PUT', headers: bearer, body: text })
  assert.ok(put.ok, await put.text())
})
after(() => rig.end())

const state = async () => (await fetch(`${rig.url}/v1/state`, { headers: bearer })).json()
const button = (name) => page.getByRole('button', { name })
const words = (text) => page.getByTestId('stop-words').getByText(text).waitFor()

/** The moves of layers that were executed. */
const executed = () => rig.executed().filter((line) => layers.flat().includes(line))

/** stands waits for the pause before layer n: all before it was executed, once and in order, and nothing of it. */
async function stands(n) {
  await until(`before layer ${n}`, async () => { // the pause before this one may not be over yet
    const { state: is, pause } = await state()
    return is === 'paused' && pause.layer === n
  }, 120_000)
  assert.deepEqual(executed(), layers.slice(0, n - 1).flat())
  const { pause, job } = await state()
  assert.deepEqual([pause.by, pause.layer, job.layer], ['stop', n, n - 1])
}

/** look: nothing is too wide, too small to tap, or without a name, on a narrow phone and this one, in both schemes; and pictures, if wanted. */
async function look(name) {
  for (const [scheme, width] of [['light', 320], ['dark', 390], ['light', 390]]) {
    await page.emulateMedia({ colorScheme: scheme })
    await page.setViewportSize({ width, height: 844 })
    assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= window.innerWidth), 'the page is too wide')
    const small = await page.evaluate(() => [...document.querySelectorAll('main button, dialog button, dialog label.check')].filter((e) => e.checkVisibility())
      .map((e) => ({ name: e.getAttribute('aria-label') ?? e.textContent, box: e.getBoundingClientRect() })).filter(({ box }) => box.width > 0 && Math.min(box.width, box.height) < 44).map(({ name }) => name))
    assert.deepEqual(small, [])
    assert.deepEqual(await inaccessible(page), [])
    if (process.env.SHOTS && width === 390) await page.screenshot({ path: `${process.env.SHOTS}/${name}-${scheme}.png` })
  }
}

test('before the start, at a height', async () => {
  await page.evaluate(() => { location.hash = '#/files/tower.gcode' })
  await page.getByRole('button', { name: 'Print', exact: true }).click()
  await button('Pause at a layer or height…').click()
  await button('Height').click()
  await page.getByLabel('Height in mm').fill('0,5')
  await words('Pauses before layer 3 (0.6 mm), when layer 2 is done.')
  await look('stops-start')
  await button('Add this pause').click()
  await button('Remove the pause before layer 3').waitFor()
  await button('Bed is clear, print').click()
  await stands(3)
  await page.getByRole('heading', { name: 'Paused before layer 3, as you asked' }).waitFor()
  const octoprint = await (await fetch(`${rig.url}/api/printer`, { headers: bearer })).json()
  assert.equal(octoprint.state.flags.paused, true)
})

test('in mid-print, at a layer, with new filament', async () => {
  await button('Pause at…').click()
  await words('Pauses before layer 4 (0.8 mm), when layer 3 is done.')
  await page.getByRole('button', { name: 'Layer', exact: true }).click()
  await page.getByLabel('Layer', { exact: true }).fill('6')
  await button('One layer higher').click()
  await words('Pauses before layer 7 (1.4 mm), when layer 6 is done.')
  await page.getByLabel('Change the filament there').check()
  await page.getByLabel(/^What to do there/).fill('Now red')
  await button('Set this pause').click()
  await button('Remove the pause before layer 7').waitFor()
  await page.getByRole('button', { name: 'This layer', exact: true }).click()
  await button('Set this pause').click()
  await button('Remove the pause before layer 4').click()
  await button('Remove the pause before layer 4').waitFor({ state: 'detached' })
  await look('stops-sheet')
  await button('Close').click()
  await page.getByText(/^Pauses before layer 7 \(1\.4 mm\), for new filament, after \d+ (s|min)$/).waitFor()
  assert.equal(await page.locator('.job-bar i').count(), 2)
  await page.locator('.job-bar').scrollIntoViewIfNeeded()
  await look('stops-bar')
  await button('Resume').click()
  await stands(7)
  await page.getByRole('heading', { name: 'Now red' }).waitFor()
  await button('Unload 100 mm').waitFor()
  await page.evaluate(() => window.scrollTo(0, 0))
  await look('stops-paused')
  await button('Resume').click()
  await until('the end', async () => (await state()).last_job?.outcome === 'done', 120_000)
  assert.deepEqual(executed(), layers.flat())
  assert.deepEqual(rig.errors, [])
})
