// A print is recorded by layer: back through it while it runs, then its video in the list, played, saved and deleted; and frames without ffmpeg.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test as run } from 'node:test'
import { inaccessible, realFile, Rig, stop, until } from './rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
const name = 'cube.gcode'
let page, key, layers

before(async () => {
  await rig.printer('--speed', '60', '--heat', '300')
  await rig.daemon()
  await rig.browser()
  key = rig.token()
})
after(() => rig.end())

const call = (path, init) => rig.call(key, path, init)
const json = async (path, init) => (await call(path, init)).json()
const tab = (which) => page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: which }).click()
const shown = (sheet) => sheet.getByRole('img', { name: /^Frame of the timelapse/ }).evaluate((canvas) => Number(canvas.dataset.n))

/** painted tells whether the picture is more than one colour. */
const painted = (sheet) => sheet.getByRole('img', { name: /^Frame of the timelapse/ }).evaluate((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  const seen = new Set()
  for (let i = 0; i < data.length; i += 4000) seen.add(`${data[i] >> 4} ${data[i + 1] >> 4} ${data[i + 2] >> 4}`)
  return seen.size > 5
})

test('a print is started with a frame at each layer', async () => {
  await call(`/v1/files/${name}`, { method: 'PUT', body: readFileSync(realFile()) })
  page = await rig.phone(`/#token=${key}`)
  await tab('Files')
  await page.getByRole('link', { name: /cube/ }).click()
  await page.getByRole('dialog', { name }).getByRole('button', { name: 'Print', exact: true }).click()
  const sheet = page.getByRole('dialog', { name: 'Is the bed clear?' })
  const off = sheet.getByRole('button', { name: 'Off' })
  await off.waitFor()
  assert.equal(await off.getAttribute('aria-pressed'), 'true', 'a new installation records nothing')
  await sheet.getByRole('button', { name: 'By layer' }).click()
  await sheet.getByText(/^Adds about \d+ (s|min)\.$/).waitFor()
  await sheet.getByLabel('The head goes aside for each frame').check()
  await sheet.getByRole('button', { name: 'Bed is clear, print' }).click()
  const anyway = page.getByRole('button', { name: 'Print anyway' })
  await until('started', async () => (await json('/v1/state')).job || (await anyway.isVisible() && (await anyway.click(), false)))
})

test('back through the print while it runs', async () => {
  await until('several frames', async () => (await json('/v1/state')).timelapse.frames >= 5)
  await page.getByRole('button', { name: /Look back/ }).click()
  const sheet = page.getByRole('dialog', { name: 'Look back' })
  await until('the newest frame', async () => (await shown(sheet)) >= 4)
  assert.ok(await painted(sheet))
  const slider = sheet.getByRole('slider', { name: 'Frame' })
  await slider.focus()
  await page.keyboard.press('Home')
  await until('the first frame', async () => (await shown(sheet)) === 0)
  await sheet.getByText(/^Layer \d+ · \d\d:\d\d:\d\d$/).waitFor()
  await sheet.getByRole('button', { name: 'One frame on' }).click()
  await until('the second', async () => (await shown(sheet)) === 1)
  await sheet.getByRole('button', { name: 'Play' }).click()
  await until('it plays', async () => (await shown(sheet)) >= 4)
  const { state, job } = await json('/v1/state')
  assert.equal(state, 'printing', 'the print still runs')
  layers = job.layers
  await sheet.getByRole('button', { name: 'Close' }).click()
})

test('the video is made after the print, and plays', async () => {
  await until('printed', async () => (await json('/v1/state')).last_job?.outcome === 'done', 180_000)
  await tab('Files')
  await page.getByRole('button', { name: 'Films' }).click()
  const row = page.getByRole('region', { name: 'Timelapses' }).getByRole('button', { name: /cube/ })
  await row.waitFor()
  await until('the poster', () => row.locator('img').evaluate((img) => img.naturalWidth > 100))
  const film = await until('the video', async () => (await json('/v1/timelapses')).items.find((f) => f.video.state === 'ready'))
  assert.equal(film.outcome, 'done')
  assert.ok(layers > 1 && film.frames + film.missed >= layers - 1 && film.missed <= layers / 10, `${film.frames} frames of ${layers} layers, ${film.missed} missed`)
  assert.ok(rig.executed().some((text) => text.startsWith('G0 X5 Y210 ')), 'the head went aside')
  await row.click()
  const video = page.getByRole('dialog', { name }).locator('video')
  await video.waitFor()
  await video.evaluate((v) => { v.muted = true; return v.play() })
  await until('it plays', () => video.evaluate((v) => v.currentTime > 0.3 && v.videoWidth > 100))
  await video.evaluate((v) => { v.pause(); v.currentTime = v.duration / 2 })
  await until('it seeks', () => video.evaluate((v) => !v.seeking && v.currentTime > 0.3))
})

test('the video can be saved', async () => {
  const waiting = page.waitForEvent('download')
  await page.getByRole('dialog', { name }).getByRole('link', { name: 'Download' }).click()
  const download = await waiting
  assert.equal(download.suggestedFilename(), 'cube.mp4')
  assert.equal(readFileSync(await download.path()).subarray(4, 8).toString(), 'ftyp')
  await page.getByRole('dialog', { name }).getByRole('button', { name: 'Close' }).click()
})

test('list, sheet and settings can be read by everybody, on small phones too, light and dark', async () => {
  const found = []
  for (const colorScheme of ['light', 'dark']) {
    const small = await rig.phone(`/#token=${key}`, { viewport: { width: 320, height: 568 }, colorScheme, bypassCSP: true })
    const look = async (what) => {
      found.push(...(await inaccessible(small, 'video-caption')).map((w) => `${what}, ${colorScheme}: ${w}`)) // a timelapse has no sound
      const wide = await small.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth)
      if (wide > 0) found.push(`${what} is ${wide} px too wide`)
    }
    await small.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Files' }).click()
    await small.getByRole('button', { name: 'Films' }).click()
    const row = small.getByRole('region', { name: 'Timelapses' }).getByRole('button', { name: /cube/ })
    await row.waitFor()
    await look('the list')
    await row.click()
    await small.getByRole('dialog').locator('video').waitFor()
    await look('the sheet')
    await small.getByRole('button', { name: 'Close' }).click()
    await small.getByRole('link', { name: 'Timelapse settings' }).click()
    await small.getByRole('heading', { name: 'Record each print' }).waitFor()
    await look('the settings')
    await small.context().close()
  }
  assert.deepEqual(found, [])
})

test('an owner sets how every print is recorded', async () => {
  await page.getByRole('link', { name: 'Timelapse settings' }).click()
  const card = page.getByRole('region', { name: 'Timelapses' })
  await card.getByRole('button', { name: 'By time' }).click()
  await card.getByLabel('One frame each').fill('0')
  assert.ok(await card.getByRole('button', { name: 'Save' }).isDisabled())
  await card.getByLabel('One frame each').fill('2')
  await card.getByRole('button', { name: 'Save' }).click()
  await until('kept', async () => (await json('/v1/timelapses')).settings.every_s === 2)
})

test('without ffmpeg the frames are played, also of a print that was stopped and after a restart', async () => {
  await stop(rig.layerd)
  await rig.daemon({ PATH: '/nowhere' })
  await until('connected', async () => (await json('/v1/state')).state === 'idle')
  await json('/v1/do', { method: 'POST', body: JSON.stringify({ do: 'start', file: name, anyway: true }) })
  await until('several frames', async () => (await json('/v1/state')).timelapse.frames >= 3)
  await json('/v1/do', { method: 'POST', body: JSON.stringify({ do: 'cancel' }) })
  await until('stopped', async () => (await json('/v1/state')).last_job?.outcome === 'cancelled')
  await page.reload()
  await tab('Files')
  await page.getByRole('button', { name: 'Films' }).click()
  await page.getByRole('region', { name: 'Timelapses' }).getByRole('button', { name: /Stopped/ }).click()
  const sheet = page.getByRole('dialog', { name })
  await sheet.getByText('ffmpeg is not installed').waitFor()
  await until('its first frame', async () => (await shown(sheet)) === 0)
  await sheet.getByRole('button', { name: 'Play' }).click()
  await until('it plays', async () => (await shown(sheet)) >= 2)
  const waiting = page.waitForEvent('download')
  await sheet.getByRole('link', { name: 'Download' }).click()
  const download = await waiting
  assert.equal(download.suggestedFilename(), 'cube.avi')
  assert.equal(readFileSync(await download.path()).subarray(8, 12).toString(), 'AVI ')
})

test('a timelapse is deleted when it was asked twice', async () => {
  const sheet = page.getByRole('dialog', { name })
  await sheet.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click()
  await until('gone', async () => (await json('/v1/timelapses')).items.length === 1)
  await until('off the list', async () => (await page.getByRole('region', { name: 'Timelapses' }).getByRole('button').count()) === 1)
})

test('the page had nothing to complain about', () => assert.deepEqual(rig.errors, []))
