// The cameras as a person sees them: several, enlarged, on the full screen, turned, and honest about their age.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, test as run } from 'node:test'
import { inaccessible, Rig, until } from './rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
let page, key, bearer, touch

before(async () => {
  key = await rig.demo()
  bearer = { authorization: `Bearer ${key}` }
  await rig.browser()
  page = await rig.phone(`/#token=${key}`, { bypassCSP: true })
  await until('connected', async () => (await state()).state === 'idle')
  touch = await page.context().newCDPSession(page)
})
after(() => rig.end())

const state = async () => (await fetch(`${rig.url}/v1/state`, { headers: bearer })).json()
const button = (name, exact = true) => page.getByRole('button', { name, exact })
const go = (hash) => page.evaluate((to) => { location.hash = to }, hash)
const canvas = () => page.getByTestId('camera-canvas').last()
const age = () => page.getByTestId('camera-age').last()
const size = () => canvas().evaluate(({ width, height }) => `${width}×${height}`)
const colour = (locator) => locator.evaluate((e) => getComputedStyle(e).backgroundColor)

/** A sum over the canvas, which changes when another frame is painted; 0 while it is empty. */
const paint = () => canvas().evaluate((c) => {
  const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data
  let sum = 0
  for (let i = 0; i < data.length; i += 97) sum = (sum * 31 + data[i]) >>> 0
  return c.width > 100 ? sum : 0
})

/** How much bigger than its frame the picture is seen, and whether it covers the frame. */
const zoom = () => canvas().evaluate((c) => {
  const seen = c.getBoundingClientRect()
  const frame = c.parentElement.getBoundingClientRect()
  const covers = seen.left <= frame.left + 1 && seen.top <= frame.top + 1 && seen.right >= frame.right - 1 && seen.bottom >= frame.bottom - 1
  return { scale: Math.round(seen.width / frame.width * 100) / 100, covers, left: seen.left, top: seen.top }
})

const fingers = (type, ...points) => touch.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) })
async function tap(x, y) {
  await fingers('touchStart', [x, y])
  await fingers('touchEnd')
}
/** drag moves fingers, each from a place to another one, in steps. */
async function drag(...paths) {
  const at = (part) => paths.map(([[x, y], [toX, toY]]) => [x + (toX - x) * part, y + (toY - y) * part])
  await fingers('touchStart', ...at(0))
  for (let step = 1; step <= 10; step++) await fingers('touchMove', ...at(step / 10))
  await fingers('touchEnd')
}
const middle = async () => {
  const box = await canvas().evaluate((c) => c.parentElement.getBoundingClientRect().toJSON())
  return { x: box.x + box.width / 2, y: box.y + box.height / 2, box }
}

/** fine: nothing is too wide, too small to tap, or without a name. */
async function fine() {
  const had = page.viewportSize()
  for (const viewport of [{ width: 320, height: 568 }, had]) {
    await page.setViewportSize(viewport)
    assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= window.innerWidth), 'the page is too wide')
    const small = await page.evaluate(() => [...document.querySelectorAll('main button, main a, dialog button')].filter((e) => e.checkVisibility())
      .map((e) => ({ name: e.getAttribute('aria-label') ?? e.textContent, box: e.getBoundingClientRect() })).filter(({ box }) => box.width > 0 && Math.min(box.width, box.height) < 44).map(({ name }) => name))
    assert.deepEqual(small.filter((name) => name !== 'Choose one'), [])
  }
  assert.deepEqual(await inaccessible(page), [])
}

/** both takes a picture in the light and in the dark, and looks for faults in each. */
async function both(name) {
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme })
    await fine()
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/camera-${name}-${colorScheme}.png` })
  }
}

test('the picture moves, and says how old it is and what it costs', async () => {
  const first = await until('a picture', paint)
  await until('another picture', async () => (await paint()) !== first)
  assert.match(await age().innerText(), /^Live · \d\.\d s$/)
  await age().click()
  assert.match(await age().innerText(), /^Live · \d\.\d s · 704×396 · \d+(\.\d)? [kM]B\/min$/)
  await age().click()
  await both('print')
})

test('it stays in sight while the rest scrolls, also when the finger begins on it', async () => {
  await page.setViewportSize({ width: 390, height: 620 })
  const { x, y } = await middle()
  await drag([[x, y + 40], [x, y - 60]])
  await until('scrolled', async () => (await page.evaluate(() => scrollY)) > 20)
  let at = -1
  await until('it stands, for it goes on by itself for a while', async () => at === (at = await page.evaluate(() => new Promise((two) => requestAnimationFrame(() => requestAnimationFrame(() => two(scrollY)))))))
  await page.evaluate(() => scrollTo(0, 9999))
  const top = await page.locator('.picture').evaluate((e) => e.getBoundingClientRect().top)
  const header = await page.locator('header').evaluate((e) => e.getBoundingClientRect().bottom)
  assert.ok(Math.abs(top - header) < 2, `the picture is at ${top}, the header ends at ${header}`)
  assert.ok(await page.locator('.picture').evaluate((e) => e.getBoundingClientRect().height <= innerHeight * 0.4))
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/camera-pinned.png` })
  await page.evaluate(() => scrollTo(0, 0))
  // Nor does what stays in sight itself move the page, when it is reached by keyboard.
  const there = await page.locator('header, nav, .actions, .picture').getByRole('button').or(page.getByRole('navigation').getByRole('link')).elementHandles()
  assert.ok(there.length > 6, `only ${there.length} things stay in sight`)
  for (const at of there) {
    await at.evaluate((e) => e.focus())
    assert.equal(await page.evaluate(() => scrollY), 0, `the page moved for ${await at.evaluate((e) => e.outerHTML)}`)
  }
  await page.setViewportSize({ width: 390, height: 844 })
})

test('a double tap enlarges at that point, a finger moves it within its bounds, a double tap shows all', async () => {
  const { x, y, box } = await middle()
  await tap(x + 60, y + 20)
  await tap(x + 60, y + 20)
  await until('twice as big', async () => (await zoom()).scale === 2)
  const before = await zoom()
  assert.ok(Math.abs((x + 60 - before.left) / 2 - (x + 60 - box.x)) < 2, 'what was tapped has moved away')
  await drag([[x, y], [x - 30, y - 20]])
  const after = await zoom()
  assert.ok(Math.abs(after.left - before.left + 30) < 3 && Math.abs(after.top - before.top + 20) < 3, `${JSON.stringify(before)} became ${JSON.stringify(after)}`)
  assert.equal(await page.evaluate(() => scrollY), 0)
  for (const [dx, dy] of [[300, 200], [-300, -200]]) {
    await drag([[x, y], [x + dx, y + dy]], )
    await drag([[x, y], [x + dx, y + dy]], )
    assert.ok((await zoom()).covers, 'the picture has left its frame')
  }
  await both('zoomed')
  await tap(x, y)
  await tap(x, y)
  await until('whole', async () => (await zoom()).scale === 1)
})

test('two fingers enlarge it, keys and the wheel too, and leaving shows all again', async () => {
  const { x, y } = await middle()
  await drag([[x - 20, y], [x - 80, y]], [[x + 20, y], [x + 80, y]])
  await until('pinched', async () => Math.abs((await zoom()).scale - 4) < 0.3)
  assert.ok((await zoom()).covers)
  await drag([[x - 80, y - 30], [x - 10, y - 5]], [[x + 80, y + 30], [x + 10, y + 5]])
  await until('pinched back', async () => (await zoom()).scale === 1)
  await age().focus()
  await page.keyboard.press('+')
  assert.equal((await zoom()).scale, 1.5)
  await page.keyboard.press('+')
  await page.keyboard.press('ArrowRight')
  assert.ok((await zoom()).covers)
  await page.keyboard.press('-')
  assert.equal((await zoom()).scale, 1.5)
  await page.keyboard.press('Escape')
  assert.equal((await zoom()).scale, 1)
  await page.mouse.move(x, y)
  await page.mouse.wheel(0, -200)
  assert.equal((await zoom()).scale, 1, 'the wheel belongs to the page')
  await page.keyboard.down('Control')
  await page.mouse.wheel(0, -50)
  await page.keyboard.up('Control')
  await until('enlarged by the wheel', async () => (await zoom()).scale > 1.1)
  await go('#/files')
  await page.getByRole('button', { name: 'Upload' }).first().waitFor()
  await go('#/print')
  await until('a picture', paint)
  assert.equal((await zoom()).scale, 1)
})

test('it fills the screen, where its buttons enlarge it, and Escape leaves', async () => {
  await button('Full screen').click()
  await page.getByRole('dialog').waitFor()
  await until('a picture in full', paint)
  const filled = await canvas().evaluate((c) => c.parentElement.getBoundingClientRect().toJSON())
  assert.deepEqual([filled.width, filled.height], await page.evaluate(() => [innerWidth, innerHeight]))
  await button('Larger').click()
  assert.equal((await zoom()).scale, 1.5)
  await button(/^Enlarged 1.5 times/, false).click()
  await both('full')
  await button('Leave full screen').click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  assert.equal(await page.evaluate(() => document.fullscreenElement), null)
  // An iPhone lets no element have the screen.
  await page.evaluate(() => Object.defineProperty(document, 'fullscreenEnabled', { value: false, configurable: true }))
  await button('Full screen').click()
  await until('a picture in full', paint)
  assert.equal(await page.evaluate(() => document.fullscreenElement), null)
  assert.deepEqual(await canvas().evaluate((c) => [c.parentElement.clientWidth, c.parentElement.clientHeight]), [390, 844])
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.evaluate(() => delete document.fullscreenEnabled)
})

test('before a print the picture stands beside the question whether the bed is clear', async () => {
  const put = await fetch(`${rig.url}/v1/files/cube.gcode`, { method: 'PUT', headers: bearer, body: 'G28\nG1 X10 Y10 E1 F600\nG1 X20 E1\nM84\n' })
  assert.ok(put.ok, await put.text())
  await go('#/files/cube.gcode')
  await page.getByRole('dialog').getByRole('button', { name: 'Print' }).click()
  await page.getByRole('dialog', { name: 'Is the bed clear?' }).waitFor()
  await until('a picture', paint)
  const { x, y } = await middle()
  await tap(x, y)
  await tap(x, y)
  await until('twice as big', async () => (await zoom()).scale === 2)
  await both('bed')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
})

test('a second camera is added, and the Print screen shows the one that is chosen', async () => {
  await go('#/settings/cameras')
  await page.getByRole('link', { name: 'Add a camera' }).click()
  await page.getByLabel('Camera', { exact: true }).selectOption({ label: 'On the network…' })
  await page.getByText('ESP32-CAM').waitFor()
  assert.ok(await button('Add camera').isDisabled(), 'a camera without its address can be added')
  await both('network')
  await page.getByLabel('Camera', { exact: true }).selectOption('simulated')
  await page.getByLabel('Name', { exact: true }).fill('Side')
  await button('Add camera').click()
  await until('its own page', async () => /cameras\/1$/.test(page.url()))
  await until('its picture', paint)
  await go('#/print')
  const tabs = page.getByRole('group', { name: 'Cameras' })
  await tabs.waitFor()
  assert.equal(await tabs.getByRole('button').count(), 2)
  await tabs.getByRole('button', { name: 'Side' }).click()
  await page.getByRole('img', { name: 'Camera: Side, live' }).waitFor()
  await page.reload()
  await page.getByRole('img', { name: 'Camera: Side, live' }).waitFor()
  await both('several')
})

test('a camera is turned by its page, and the browser shows it so', async () => {
  await go('#/settings/cameras/1')
  await until('a picture', paint)
  assert.equal(await size(), '704×396')
  await button('90°').click()
  await button('Save camera').click()
  await until('turned', async () => (await size()) === '396×704')
  assert.deepEqual([(await state()).cameras[1].width, (await state()).cameras[1].height], [396, 704])
  await page.getByText('The camera settings are saved.').waitFor({ state: 'detached' })
  await both('page')
  if (process.env.SHOTS) {
    for (const [name, width, height] of [['landscape', 844, 390], ['desktop', 1280, 800]]) {
      await page.setViewportSize({ width, height })
      await page.screenshot({ path: `${process.env.SHOTS}/camera-page-${name}.png` })
      await go('#/print')
      await until('a picture', paint)
      await page.waitForTimeout(300)
      await page.screenshot({ path: `${process.env.SHOTS}/camera-print-${name}.png` })
      await go('#/settings/cameras/1')
      await until('a picture', paint)
    }
    await page.setViewportSize({ width: 390, height: 844 })
  }
  await page.getByRole('link', { name: 'Cameras' }).click()
  await page.getByRole('link', { name: /^Side/ }).waitFor()
  await page.getByText(/396×704/).waitFor()
  await both('list')
})

test('the lamp is set up and switched; what the printer refuses is said', async () => {
  await go('#/settings/power')
  await page.getByLabel('Lamp is switched by').selectOption('lines')
  await page.getByLabel('Lamp on').fill('M112')
  await page.getByLabel('Lamp off').fill('M355 S0')
  await button('Save lamp').click()
  await page.getByRole('alert').getByText(/M112/).waitFor()
  await page.getByLabel('Lamp on').fill('M355 S1')
  await button('Save lamp').click()
  await until('a lamp', async () => (await state()).lamp)
  await go('#/print')
  await page.getByRole('img', { name: /^Camera: .*live$/ }).waitFor() // the button is on it
  await button('Lamp').click()
  await until('it is on', async () => (await state()).lamp.on)
  await page.getByRole('button', { name: 'Lamp', pressed: true }).waitFor()
  await both('lamp')
  const answer = await fetch(`${rig.url}/v1/do`, { method: 'POST', headers: bearer, body: '{"do":"disconnect"}' })
  assert.ok(answer.ok)
  await button('Lamp').click()
  await page.locator('.picture-error').getByText(/not connected/i).waitFor()
  assert.ok((await state()).lamp.on)
})

test('an old picture is never shown as live, and comes back', async () => {
  const context = page.context()
  const stalled = await context.newPage()
  let hold = false
  const held = []
  await stalled.routeWebSocket(/\/v1\/camera/, (socket) => {
    const server = socket.connectToServer()
    server.onMessage((message) => (hold ? held.push(() => socket.send(message)) : socket.send(message)))
  })
  await stalled.goto(rig.url)
  const chip = stalled.getByTestId('camera-age')
  await stalled.getByRole('button', { name: /^Live/ }).waitFor()
  hold = true
  await stalled.getByRole('button', { name: /^[234]\.\d s old/ }).waitFor()
  assert.equal(await colour(chip.locator('> span')), 'rgb(242, 181, 68)')
  await stalled.getByText(/No picture since \d\d:\d\d:\d\d/).waitFor()
  await stalled.getByRole('img', { name: /old picture/ }).waitFor()
  assert.match(await stalled.getByTestId('camera-canvas').evaluate((c) => getComputedStyle(c).filter), /grayscale/)
  assert.equal(await colour(chip.locator('> span')), 'rgb(184, 41, 29)')
  if (process.env.SHOTS) await stalled.screenshot({ path: `${process.env.SHOTS}/camera-old.png` })
  hold = false
  for (const send of held) send()
  await stalled.getByRole('button', { name: /^Live/ }).waitFor()
  await stalled.close()
})

test('a camera on the network that stalls turns grey with the reason, and comes back by itself', async () => {
  const picture = Buffer.from(await (await fetch(`${rig.url}/webcam/?action=snapshot`, { headers: bearer })).arrayBuffer())
  let stalls = false
  const camera = createServer((request, answer) => {
    answer.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=next' })
    const timer = setInterval(() => {
      if (!stalls) answer.write(Buffer.concat([Buffer.from(`--next\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n\r\n`), picture, Buffer.from('\r\n')]))
    }, 100)
    request.on('close', () => clearInterval(timer))
  })
  await new Promise((listening) => camera.listen(0, '127.0.0.1', listening))
  const act = (command) => fetch(`${rig.url}/v1/do`, { method: 'POST', headers: bearer, body: JSON.stringify(command) })
  await act({ do: 'set_camera', camera: { id: -1, name: 'Network', device: `http://127.0.0.1:${camera.address().port}/` } })
  const { id } = (await state()).cameras.at(-1)
  const looking = await page.context().newPage()
  await looking.goto(rig.url)
  await looking.getByRole('button', { name: 'Network', exact: true }).click()
  await looking.getByRole('button', { name: /^Live/ }).waitFor()
  stalls = true
  await looking.getByRole('button', { name: /^[234]\.\d s old/ }).waitFor()
  await looking.getByText(/No picture since \d\d:\d\d:\d\d/).waitFor()
  await looking.getByText(/The camera Network/).first().waitFor()
  assert.equal((await state()).cameras.find((c) => c.id === id).live, false)
  assert.equal((await state()).cameras[0].live, true)
  stalls = false
  await looking.getByRole('button', { name: /^Live/ }).waitFor()
  await looking.close()
  await act({ do: 'remove_camera', camera_id: id })
  camera.closeAllConnections()
  camera.close()
})

test('a page that is not looked at takes no pictures', async () => {
  const hidden = await page.context().newPage()
  let frames = 0
  hidden.on('websocket', (socket) => /camera/.test(socket.url()) && socket.on('framereceived', () => frames++))
  await hidden.goto(rig.url)
  await until('pictures', () => frames > 5)
  const visible = (value) => hidden.evaluate((as) => {
    Object.defineProperty(document, 'visibilityState', { value: as, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, value)
  await visible('hidden')
  await new Promise((passed) => setTimeout(passed, 500)) // what was on its way
  const before = frames
  await new Promise((passed) => setTimeout(passed, 2000)) // ten pictures
  assert.equal(frames, before)
  await visible('visible')
  await until('pictures again', () => frames > before + 5)
  await hidden.close()
})

test('a camera is removed', async () => {
  await go('#/settings/cameras/1')
  await button('Remove this camera').click()
  await button('Remove', true).click()
  await until('only one is left', async () => (await state()).cameras.length === 1)
  await page.getByRole('link', { name: 'Add a camera' }).waitFor()
  await go('#/print')
  await until('a picture', paint)
  assert.equal(await page.getByRole('group', { name: 'Cameras' }).count(), 0)
  assert.deepEqual(rig.errors, [])
})
