// All that a person can come to see of layer shifts, on narrow phones in both schemes: nothing is too wide, too small to tap, unnamed or hard to read. layerd
// is real; what it says of its guard is changed on its way to the page, for a loss of steps takes ten minutes to come about (long/shifts.test.mjs).
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { after, before, test as run } from 'node:test'
import { inaccessible, Rig, until } from './rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
const golden = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../internal/server/testdata/wire/state_shift.json'), 'utf8'))
const sizes = [{ viewport: { width: 390, height: 844 }, colorScheme: 'light' }, { viewport: { width: 320, height: 640 }, colorScheme: 'dark' }]
let key, picture

before(async () => {
  key = await rig.demo()
  await rig.browser()
  picture = Buffer.from(await (await rig.call(key, '/webcam/?action=snapshot')).arrayBuffer())
  await fetch(`${rig.url}/v1/files/tower.gcode`, { method: 'PUT', headers: { authorization: `Bearer ${key}` }, body: 'G28\nG1 X10 Y10 Z0.2 E1 F1200\n' })
})
after(() => rig.end())

/** stage is a page whose state is what layerd says, and face of that; show(face) changes it at once, cut() is what a bad link does. */
async function stage(options) {
  const page = await rig.phone('/healthz', { bypassCSP: true, ...options })
  let face = (s) => s
  let said
  let sockets = []
  let open = true
  const told = []
  const turned = (s) => JSON.stringify({ ...s, ...face(s) })
  await page.routeWebSocket(/\/v1\/live/, (ws) => {
    if (!open) return void ws.close({ code: 1013 })
    const server = ws.connectToServer()
    sockets.push(ws)
    let greet
    const greeted = new Promise((done) => (greet = done)) // layerd begins with a state
    server.onMessage((data) => {
      const message = typeof data === 'string' ? JSON.parse(data) : null
      if (message?.type !== 'state') return ws.send(data)
      said = message
      ws.send(turned(message))
      greet()
    })
    ws.onMessage(async (data) => {
      const { do: what, id, corners } = JSON.parse(data)
      if (!acted.includes(what)) return server.send(data) // the rest is layerd's
      told.push({ what, id, ...(corners && { corners }) })
      await greeted
      if (answers) ws.send(JSON.stringify({ type: 'answer', id, rev: said.rev, job: '', error: null }))
    })
  })
  let answers = true
  for (const url of ['**/v1/guard/7/*', '**/v1/guard/bed?v=7']) await page.route(url, (route) => route.fulfill({ body: picture, contentType: 'image/jpeg' }))
  await page.route('**/v1/recordings', (route) => route.fulfill({ json: { recordings: [{ job: 'j7', file: `toys/${'a_boat_with_a_long_name_'.repeat(3)}.gcode`, at_ms: 1_700_000_000_000, looks: 240, bytes: 81e6 }], bytes: 81e6, limit_bytes: 500e6, free_bytes: 3e8, least_bytes: 500e6 } }))
  await page.goto(`${rig.url}/#token=${key}`)
  await until('layerd has said how it is', () => said)
  return {
    page, told,
    show: async (next) => {
      face = next
      for (const ws of sockets) ws.send(turned({ ...said, rev: said.rev + 0.5 }))
      await page.waitForTimeout(50)
    },
    silent: (quiet) => (answers = !quiet),
    cut: async (long) => {
      open = !long
      for (const ws of sockets) await ws.close({ code: 1012 })
      sockets = []
    },
    mend: () => (open = true),
  }
}

const acted = ['rehome', 'resume', 'cancel', 'false_alarm', 'guard_seen', 'guard_check', 'guard_setup', 'guard_drill', 'guard_corners', 'start']
const { guard, job, pause } = golden
const card = { ...guard.card, endstops: { ...guard.card.endstops, y: { ...guard.card.endstops.x } } }
const none = { ...guard, mode: 'off', card: null, setup: null, drill: null, alarm: null, layers: [], job: '', ...Object.fromEntries(['endstops', 'camera', 'firmware'].map((w) => [w, { ...guard[w], status: 'unset', said: '', why: '' }])) }
const idle = (g) => () => ({ guard: g })
const prints = (g, more = {}) => () => ({ state: 'printing', job: { ...job, rehomed: null }, pause: null, guard: { ...guard, alarm: null, card, ...g }, ...more })
const alarmed = (change = {}, more = {}) => () => ({ state: 'paused', job: { ...job, rehomed: change.rehoming ?? null }, pause, guard: { ...guard, alarm: { ...guard.alarm, rehoming: null, ...change } }, ...more })
const moved = { part: true, confirmed: false, arrows: [], sentence: 'The newest layers lie about 1.9 mm left of those below them, since layer 16, and the head is right: the part may have moved.' }
const failed = { running: false, at_ms: 3, ok: false, reason: 'The switch of X did not close within 30 mm of where it should.' }
const settings = '#/settings/shifts'
const seesBed = { ...guard, alarm: null, card: { ...card, camera: guard.settings.camera }, bed_ms: 7, corners: null }
const bed = [[0.2, 0.9], [0.85, 0.8], [0.7, 0.3], [0.3, 0.35]] // as parts of the picture

/** touches are fingers on these parts of the picture, the last of which stays where it is when held. */
const touches = (places, held) => async (page) => {
  const box = await page.locator('.corners img').boundingBox()
  for (const [i, [x, y]] of places.entries()) {
    await page.mouse.move(box.x + x * box.width, box.y + y * box.height)
    await page.mouse.down()
    if (!held || i < places.length - 1) await page.mouse.up()
  }
}
const corners = async (page) => {
  await tap('Show the corners')(page)
  await page.waitForFunction(() => document.querySelector('.corners img')?.naturalWidth > 0)
  await page.evaluate(() => Promise.allSettled(document.getAnimations().map((a) => a.finished))) // the sheet has come up
}
const tap = (name) => (page) => page.getByRole('button', { name }).first().click()
const sheet = tap('What now?')
const toBed = async (page) => {
  await page.getByRole('button', { name: 'Print', exact: true }).click()
  await page.getByText('Is the bed clear?').waitFor()
}

/** [what is seen, where, of which state, by which taps, words that are there] */
const faces = [
  ['before the set-up', settings, idle(none), [], 'Needs the set-up'],
  ['the set-up begins', settings, idle(none), [tap('Set up')], 'The bed is empty'],
  ['without a camera', settings, () => ({ guard: { ...none, settings: { ...none.settings, camera: -1 } }, cameras: [] }), [tap('Set up')], 'the endstops watch alone'],
  ['the set-up runs', settings, idle({ ...none, setup: { step: 'pictures', percent: 42, why: '' } }), [tap('Show the set-up')], 'Keep your hands out of it.'],
  ['the set-up failed', settings, idle({ ...none, setup: { step: 'failed', percent: 42, why: 'The pictures are too dark: nothing moves in them that could be told.' } }), [], 'did not finish'],
  ['what it can notice', settings, idle({ ...guard, alarm: null, card, drill: { ...guard.drill, paused: true } }), [], 'and the print paused'],
  ['the switches are of no use', settings, idle({ ...none, camera: guard.camera, endstops: { ...none.endstops, status: 'unable' }, card: { ...card, endstops: { ...card.endstops, x: { ...card.endstops.x, usable: false, why: 'it was never seen closed: there is no switch, or the motor’s driver stands in for one' }, y: { ...card.endstops.x, usable: false, why: 'it closes now here and now there, by ±0.17 mm' } } } }), [], 'Endstops: cannot be used'],
  ['the set-up is out of date', settings, idle({ ...guard, alarm: null, card, camera: { ...guard.camera, status: 'unset', why: "The printer's profile, or where it parks, was changed: do the set-up again." } }), [], 'was changed: do the set-up again'],
  ['the corners are asked for', settings, idle(seesBed), [corners], 'Touch the front left corner'],
  ['a finger is on a corner', settings, idle(seesBed), [corners, touches(bed.slice(0, 3), true)], 'Touch the back right corner'],
  ['all four corners are shown', settings, idle(seesBed), [corners, touches(bed)], 'Look whether all four are right'],
  ['the corners were shown', settings, idle({ ...seesBed, corners: [[1, 9], [9, 9], [8, 1], [2, 1]] }), [], 'Show the corners again'],
  ['a drill is asked for', settings, idle({ ...guard, alarm: null, card }), [tap(/fire drill|Try again/)], 'The bed must be empty'],
  ['a print begins, watched', '#/files/tower.gcode', idle({ ...guard, alarm: null, card }), [toBed], 'At a layer shift'],
  ['a print begins, unwatched', '#/files/tower.gcode', idle(none), [toBed], 'Not watched for layer shifts'],
  ['it watches', '#/print', prints({}), [(page) => page.getByTestId('guard-chip').click()], 'Check now'],
  ['the camera is blind', '#/print', prints({ camera: { ...guard.camera, status: 'blind', why: 'Too much is covered of what it goes by.', detects_x_mm: 0, detects_y_mm: 0 } }), [], 'Camera blind'],
  ['nothing can watch', '#/print', prints({ mode: 'pause', camera: { ...guard.camera, status: 'unable' }, endstops: { ...guard.endstops, status: 'unable', why: 'The switch never closed.' } }), [(page) => page.getByTestId('guard-chip').click()], 'Cannot be used'],
  ['an alarm', '#/print', alarmed(), [], '1.6 mm right'],
  ['its evidence', '#/print', alarmed(), [sheet], 'The arrow shows which way: X 1.6 mm'],
  ['an alarm by the camera, without pictures', '#/print', alarmed({ pictures: false, id: 0, confirmed: false }), [sheet], 'have not confirmed it'],
  ['the part may have moved', '#/print', alarmed(moved), [sheet], 'The part has about 2 spoiled layers'],
  ['resuming with a part that may have moved', '#/print', alarmed(moved), [sheet, tap('Resume as it is')], 'If the part is not, all that follows is printed beside it.'],
  ['re-homing is asked', '#/print', alarmed(), [sheet, tap(/^Re-home X and Y, and resume/)], 'Two checks must agree'],
  ['it is re-homed', '#/print', alarmed({ rehoming: { ...failed, running: true } }), [sheet], 'Re-homing X and Y'],
  ['re-homing failed', '#/print', alarmed({ rehoming: failed }), [sheet], 'Re-homing did not work.'],
  ['resuming all the same', '#/print', alarmed({ rehoming: failed }), [sheet, tap('Resume as it is')], 'not proven'],
  ['an alarm that only tells', '#/print', alarmed({ paused: false }, { state: 'printing', pause: null }), [tap('See the pictures and decide')], 'Seen: let it print on'],
  ['one that was answered, after a re-homing that failed', '#/print', () => ({ state: 'paused', job: { ...job, rehomed: failed }, pause, guard: { ...guard, alarm: null } }), [tap('What now?')], 'not proven'],
  ['what was recorded', settings, idle({ ...guard, alarm: null, card, recording: false, settings: { ...guard.settings, record: true } }), [], 'Nothing is recorded now: only 300 MB'],
  ['one recording', settings, idle({ ...guard, alarm: null, card }), [tap(/^a_boat/)], 'They show your room'],
  ['deleting it is asked', settings, idle({ ...guard, alarm: null, card, job: '' }), [tap(/^a_boat/), tap('Delete')], 'gone for good'],
  ['one that was answered', '#/print', () => ({ state: 'paused', job: { ...job, rehomed: null }, pause, guard: { ...guard, alarm: null } }), [], 'Paused because of a layer shift'],
]

test('each of its faces fits, can be tapped, and can be read', async () => {
  const found = []
  for (const { viewport, colorScheme } of sizes) {
    const { page, show } = await stage({ viewport, colorScheme })
    for (const [name, hash, face, taps, words] of faces) {
      await page.evaluate(() => { location.hash = '#/console' })
      await show(face)
      await page.evaluate((to) => { location.hash = to }, hash)
      for (const one of taps) await one(page)
      await page.locator('#screen, dialog').getByText(words).first().waitFor()
      if (name === 'its evidence') await page.locator('.blink-arrows').waitFor()
      if (name === 'a finger is on a corner') await page.getByTestId('loupe').waitFor()
      for (const problem of [...await troubles(page), ...await inaccessible(page)]) found.push(`${name}, ${viewport.width} px: ${problem}`)
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name.replace(/\W+/g, '-')}-${viewport.width}.png` })
      await page.mouse.up()
      const dialog = page.getByRole('dialog').or(page.getByRole('alertdialog'))
      for (let i = 0; i < 3 && await dialog.count() > 0; i++) await page.keyboard.press('Escape')
    }
    await page.context().close()
  }
  assert.deepEqual(found, [])
})

/** What is too wide, cut off, or too small to tap. */
function troubles(page) {
  return page.evaluate(() => {
    const all = []
    if (document.scrollingElement.scrollWidth > innerWidth) all.push('the page is too wide')
    for (const e of document.querySelectorAll('#screen button, #screen a.btn, dialog :is(button, a, select, input[type=range], label.check)')) {
      if (!e.checkVisibility()) continue
      const box = e.getBoundingClientRect()
      const name = e.getAttribute('aria-label') ?? e.textContent.trim()
      if (box.width > 0 && Math.min(box.width, box.height) < 44) all.push(`too small to tap: ${name} ${Math.round(box.width)}×${Math.round(box.height)}`)
      if (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1) all.push(`its words do not fit: ${name}`)
    }
    return all
  })
}

test('the corners that are touched are those that layerd is told', async () => {
  for (const { viewport, colorScheme } of sizes) {
    const { page, told, show } = await stage({ viewport, colorScheme })
    await show(idle(seesBed))
    await page.evaluate((to) => { location.hash = to }, settings)
    await corners(page)
    await touches(bed)(page)
    const [width, height] = await page.locator('.corners img').evaluate((img) => [img.naturalWidth, img.naturalHeight])
    await page.getByRole('button', { name: 'front left corner' }).press('ArrowRight')
    await page.getByRole('button', { name: 'Keep them' }).dblclick()
    await page.getByText('From now on the camera looks at the print, too.').waitFor()
    assert.equal(told.length, 1)
    const want = bed.map(([x, y], i) => [x * width + (i === 0), y * height])
    const off = told[0].corners.map(([x, y], i) => Math.hypot(x - want[i][0], y - want[i][1]))
    assert.ok(Math.max(...off) < 0.01 * width, `${JSON.stringify(told[0].corners)}, want ${JSON.stringify(want)}`)
    await page.context().close()
  }
})

test('over a link that breaks, a tap is done once, and the alarm stays where it is', async () => {
  const { page, told, show, silent, cut, mend } = await stage(sizes[0])
  await show(alarmed())
  await page.evaluate(() => { location.hash = '#/print' })
  const alarm = page.getByTestId('alarm')
  await alarm.waitFor()
  await page.evaluate(() => {
    window.gone = 0
    new MutationObserver(() => { if (!document.querySelector('[data-testid=alarm]')) window.gone++ }).observe(document.body, { childList: true, subtree: true })
  })
  await sheet(page)
  await tap('False alarm')(page)
  silent(true) // its answer never comes
  await page.getByRole('button', { name: 'False alarm, resume' }).click()
  await until('it was told', () => told.length === 1)
  await cut(true)
  await page.getByTestId('stale-age').waitFor()
  silent(false)
  mend()
  await until('it is told again, and goes on', () => told.length === 3)
  assert.equal(told[0].what, 'false_alarm')
  assert.deepEqual(told[1], told[0], 'the same command, by the same name')
  assert.equal(told[2].what, 'resume')
  assert.equal(await page.evaluate(() => window.gone), 0, 'the alarm was gone meanwhile')
  assert.ok(await alarm.isVisible())
  assert.deepEqual(rig.errors, [])
})
