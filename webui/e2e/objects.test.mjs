// A person skips one object of a plate while it is printed: the map, the question, and what the printer then does.
import assert from 'node:assert/strict'
import { after, before, test as run } from 'node:test'
import { inaccessible, Rig, until } from './rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
let page, bearer

/** Four objects in each layer; "tiny" is too small for a finger. */
const objects = [['bracket left.stl', 20, 20, 60], ['bracket right.stl', 120, 20, 60], ['a very long name of a part that somebody drew at night.stl', 20, 120, 70], ['tiny.stl', 160, 160, 6]]
const plate = () => {
  const out = ['M140 S40', 'M109 S200', 'G28', 'M83', 'G1 X2 Y2 Z0.2 F3000']
  for (let layer = 0; layer < 60; layer++) {
    out.push(';LAYER_CHANGE', `G1 Z${(0.2 * (layer + 1)).toFixed(1)} F600`)
    objects.forEach(([name, x, y, size], i) => {
      out.push(`; printing object ${name} id:${i} copy 0`, `G0 X${x} Y${y} F9000`, `G1 X${x + size} Y${y} E2 F3000`, `G1 X${x + size} Y${y + size} E2`,
        `G1 X${x} Y${y + size} E2`, `G1 X${x} Y${y} E2`, `; stop printing object ${name} id:${i} copy 0`)
    })
  }
  return out.join('\n') + '\n'
}

before(async () => {
  await rig.printer('--speed', '3', '--heat', '60')
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
const button = (name) => page.getByRole('button', { name })
const shoot = async (name) => {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` })
}
/** What was printed of an object so far: its first line in each layer. */
const strokes = ([, x, y, size]) => rig.executed().filter((l) => l === `G1 X${x + size} Y${y} E2 F3000`).length

test('the map shows what is printed, and everything can be tapped', async () => {
  const put = await fetch(`${rig.url}/v1/files/plate.gcode`, { method: 'PUT', headers: bearer, body: plate() })
  assert.equal(put.status, 201, await put.text())
  await command({ do: 'start', file: 'plate.gcode', anyway: true })
  await until('printing the second layer', async () => (await state()).job?.layer >= 2)
  await button(/^Objects/).waitFor()
  await shoot('objects-print')
  await button(/^Objects/).click()
  const map = page.getByTestId('bed-map')
  await map.waitFor()
  assert.equal(await map.locator('.bed-object').count(), 4)
  await until('one is marked as printed now', async () => await map.locator('.bed-object.now').count() === 1)
  const rows = page.locator('.object-row')
  assert.equal(await rows.count(), 4)
  for (const box of await rows.evaluateAll((all) => all.map((e) => e.getBoundingClientRect().height))) assert.ok(box >= 48, `a row is ${box} px high`)
  await shoot('objects')
  assert.deepEqual(await inaccessible(page), [])
  await page.setViewportSize({ width: 320, height: 568 })
  assert.ok(await page.evaluate(() => document.querySelector('dialog').scrollWidth <= document.querySelector('dialog').clientWidth), 'the sheet is too wide')
  await page.setViewportSize({ width: 390, height: 844 })
})

test('a tap on the map asks, and the rest is printed as before', async () => {
  await page.locator('[data-object="1"]').click()
  await page.getByText(/bracket right\.stl/).waitFor()
  await page.getByText('It will not be finished').waitFor()
  await shoot('objects-ask')
  assert.deepEqual(await inaccessible(page), [])
  for (const name of ['Skip it', 'Keep printing it']) {
    const box = await button(name).boundingBox()
    assert.ok(box.height >= 48, `${name} is ${box.height} px high`)
  }
  await button('Keep printing it').click()
  assert.deepEqual((await state()).job.skipped, [])
  await page.locator('.object-row').nth(1).click()
  await button('Skip it').click()
  await until('lines are left out', async () => (await state()).job.left_out.includes(1))
  await page.getByText('· Skipped').waitFor()
  assert.ok(await page.locator('.object-row').nth(1).isDisabled(), 'what is missing already can be printed after all')
  assert.equal(await page.locator('.bed-object.skipped').count(), 1)
  await shoot('objects-skipped')
  const had = strokes(objects[1])
  const layer = (await state()).job.layer
  await until('six layers more', async () => (await state()).job.layer >= layer + 6)
  assert.ok(strokes(objects[1]) <= had + 1, `it went on with what is skipped: ${strokes(objects[1])} layers, ${had} when it was skipped`)
  for (const other of [0, 2, 3]) assert.ok(strokes(objects[other]) >= layer + 4, `${objects[other][0]} has ${strokes(objects[other])} layers of ${layer + 6}`)
})

test('nothing complains', () => assert.deepEqual(rig.errors, []))
