// How smooth the viewer is with a large file on a phone's screen: `make bench-viewer`. It prints, for each thing that a person does, how long it took until
// the picture was complete, and the longest task of the page's main thread, while
// that is slowed down: by its processor time, which neighbours on a busy machine do not change, and by the clock, which they do.
//
//	CORPUS=dir  where ps_large2_benchy200.gcode.gz is     SLOW=4  how many times slower     ONLY=pattern  these things     TRACE=file  what the longest tasks were
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { chromium } from 'playwright-core'
import { Rig } from './rig.mjs'

const corpus = resolve(import.meta.dirname, '../..', process.env.CORPUS ?? '../shared/corpus')
const slow = Number(process.env.SLOW ?? 4)
const only = new RegExp(`^opening|${process.env.ONLY ?? ''}`)
const name = 'large.gcode'
const text = gunzipSync(readFileSync(join(corpus, 'ps_large2_benchy200.gcode.gz')))

const rig = new Rig()
try {
  await rig.printer()
  await rig.daemon()
  const key = rig.token()
  await rig.call(key, `/v1/files/${name}`, { method: 'PUT', body: text })
  // A graphics chip of software, but one in a process of its own, as on a phone.
  rig.chromium = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist', '--disable-quic', '--no-first-run'] })
  const page = await rig.phone(`/#token=${key}`, { isMobile: true, deviceScaleFactor: 3 })
  page.setDefaultTimeout(120_000)
  const cdp = await page.context().newCDPSession(page)
  const browser = await rig.chromium.newBrowserCDPSession()
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: slow })

  const canvas = page.locator('canvas.viewer-canvas')
  const data = () => canvas.evaluate((c) => ({ ...c.dataset }))
  const flatDrawn = (n) => page.waitForFunction((want) => {
    const d = document.querySelector('canvas.viewer-canvas')?.dataset
    return d && (want < 0 || d.layer === String(want)) && Number(d.wanted) > 0 && d.drawn === d.wanted
  }, n, { polling: 100 })
  const solidDrawn = () => page.waitForFunction(() => {
    const d = document.querySelector('canvas.viewer-canvas')?.dataset
    return d?.loaded === '1' && d.complete === '1'
  }, null, { polling: 100 })
  const slide = (label, value) => page.getByRole('slider', { name: label, exact: true }).evaluate((input, v) => {
    input.value = v
    input.dispatchEvent(new Event('input', { bubbles: true }))
  }, value)
  const frame = () => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => done())))
  const touch = (type, ...points) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) })

  const rows = []
  const events = []
  cdp.on('Tracing.dataCollected', ({ value }) => { for (const one of value) events.push(one) })
  /** Does something, and notes how it went. */
  const step = async (what, act) => {
    if (!only.test(what)) return
    await page.waitForTimeout(300)
    await cdp.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['disabled-by-default-devtools.timeline', ...(process.env.TRACE ? ['devtools.timeline', 'v8', 'blink'] : [])] } })
    const begun = performance.now()
    await act()
    const took = performance.now() - begun
    await page.waitForTimeout(300)
    const ended = new Promise((done) => cdp.once('Tracing.tracingComplete', done))
    await cdp.send('Tracing.end')
    await ended
    const all = events.splice(0)
    const main = all.find((e) => e.name === 'thread_name' && e.args.name === 'CrRendererMain')
    const tasks = all.filter((e) => e.name === 'RunTask' && e.pid === main?.pid && e.tid === main.tid && e.tdur >= 0).sort((a, b) => b.tdur - a.tdur)
    if (process.env.TRACE) report(what, tasks.slice(0, 6), all)
    const ms = (us) => Math.round((us ?? 0) / 1000)
    rows.push({ what, 's until it is complete': (took / 1000).toFixed(1), 'longest task, ms of processor': ms(tasks[0]?.tdur), 'over 50': tasks.filter((t) => t.tdur > 50_000).length, 'longest by the clock': ms(Math.max(0, ...tasks.map((t) => t.dur ?? 0))), load: loadavg()[0].toFixed(1) })
    console.error(Object.values(rows.at(-1)).join('\t'))
  }
  const found = []
  function report(what, tasks, all) {
    for (const t of tasks) {
      const inside = all.filter((e) => e.pid === t.pid && e.tid === t.tid && e.tdur > 2000 && e.ts >= t.ts && e.ts + e.dur <= t.ts + t.dur && e !== t).sort((a, b) => b.tdur - a.tdur).slice(0, 12)
      found.push(`${what}: ${Math.round(t.tdur / 1000)} ms: ${inside.map((e) => `${e.name} ${Math.round(e.tdur / 1000)} ${e.args?.data?.functionName ?? e.args?.data?.url ?? e.args?.type ?? ''}`).join(', ')}`)
    }
    writeFileSync(process.env.TRACE, found.join('\n') + '\n')
  }
  /** What the page's process has of memory, in MB, at most so far. */
  const memory = async () => {
    const { processInfo } = await browser.send('SystemInfo.getProcessInfo')
    const most = (type) => Math.max(0, ...processInfo.filter((p) => p.type === type).map((p) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${p.id}/status`, 'utf8'))?.[1] ?? 0) / 1024))
    return { 'page, MB': Math.round(most('renderer')), 'graphics, MB': Math.round(most('GPU')) }
  }

  await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Files' }).click()
  await page.getByRole('link', { name }).click()
  await page.getByRole('button', { name: 'Look at its layers' }).waitFor()
  const before = await memory()
  await step('nothing, for comparison', () => page.waitForTimeout(2000))
  await step('a tap that opens a sheet, for comparison', async () => {
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name }).click()
    await page.getByRole('button', { name: 'Look at its layers' }).waitFor()
  })
  await step('opening, to the first layer', async () => {
    await page.getByRole('button', { name: 'Look at its layers' }).click()
    await flatDrawn(0)
  })
  const layers = Number(await page.getByRole('slider', { name: 'Layer', exact: true }).getAttribute('max')) + 1
  await step('to the last layer, for which the whole file is read', async () => {
    await slide('Layer', layers - 1)
    await flatDrawn(layers - 1)
  })
  await step('to layer 600', async () => {
    await slide('Layer', 599)
    await flatDrawn(599)
  })
  await step('a finger along the layers, 60 moves', async () => {
    for (let n = 0; n < 60; n++) {
      await slide('Layer', n * 19)
      await frame()
    }
    await flatDrawn(59 * 19)
  })
  await step('30 layers, one by one', async () => {
    for (let n = 100; n < 130; n++) {
      await slide('Layer', n)
      await frame()
    }
    await flatDrawn(129)
  })
  await step('a finger within the layer, 30 moves', async () => {
    const last = Number(await page.getByRole('slider', { name: 'Place in the layer' }).getAttribute('max'))
    for (let n = 1; n <= 30; n++) {
      await slide('Place in the layer', Math.floor((last * n) / 30))
      await frame()
    }
    await flatDrawn(129)
  })
  await step('two fingers enlarge the layer, 30 moves', async () => {
    await touch('touchStart', [180, 400], [200, 400])
    for (let n = 1; n <= 30; n++) await touch('touchMove', [180 - n * 3, 400], [200 + n * 3, 400])
    await touch('touchEnd')
    await flatDrawn(129)
  })
  await slide('Layer', layers - 1)
  await flatDrawn(layers - 1)
  await step('all in space', async () => {
    await page.getByRole('button', { name: '3D' }).click()
    await solidDrawn()
  })
  const { lines } = await data()
  await step('a finger turns it, 30 moves', async () => {
    await touch('touchStart', [180, 400])
    for (let n = 1; n <= 30; n++) {
      await touch('touchMove', [180 + n * 2, 400 + n])
      await frame()
    }
    await touch('touchEnd')
    await solidDrawn()
  })
  await step('two fingers enlarge it, 15 moves', async () => {
    await touch('touchStart', [160, 400], [220, 400])
    for (let n = 1; n <= 15; n++) await touch('touchMove', [160 - n * 2, 400], [220 + n * 2, 400])
    await touch('touchEnd')
    await solidDrawn()
  })
  await step('a finger along the layers in space, 30 moves', async () => {
    for (let n = 0; n < 30; n++) {
      await slide('Layer', n * 39)
      await frame()
    }
    await solidDrawn()
  })
  for (const by of ['speed', 'height']) {
    await step(`coloured by ${by}`, async () => {
      await page.getByRole('combobox', { name: 'Colour by' }).selectOption(by)
      await frame()
      await frame()
      await solidDrawn()
    })
  }
  console.table(rows)
  console.log(`${lines} lines in space; memory before and after:`, before, await memory(), `slowed ${slow} times; ${execFileSync('nproc').toString().trim()} processors`)
} finally {
  await rig.end()
}
