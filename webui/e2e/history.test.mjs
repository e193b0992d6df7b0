// What is left of a print: the graph that outlives a reload, the history's sheet with picture and curve, the totals, and the export.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { after, before, test as run } from 'node:test'
import { inaccessible, realFile, Rig, until } from './rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
const name = '=SUM(A1).gcode' // a spreadsheet would calculate with it
let page, key

before(async () => {
  await rig.printer('--speed', '200', '--heat', '200')
  await rig.daemon()
  await rig.browser()
  key = rig.token()
})
after(() => rig.end())

const call = (path, init) => rig.call(key, path, init)
const json = async (path, init) => (await call(path, init)).json()
const upload = (as, content = readFileSync(realFile())) => json(`/v1/files/${encodeURIComponent(as)}`, { method: 'PUT', body: content })
const tab = (which) => page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: which }).click()
const graph = () => page.getByRole('img', { name: /^Temperatures of the last half hour/ })
const points = async () => Number(await graph().getAttribute('data-points'))

/** painted counts the pixels of a graph that are not empty. */
const painted = (img) => img.locator('canvas').evaluate((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  let n = 0
  for (let i = 3; i < data.length; i += 4) if (data[i] > 0) n++
  return n
})

test('a print runs to its end', async () => {
  await upload(name)
  page = await rig.phone(`/#token=${key}`)
  await json('/v1/do', { method: 'POST', body: JSON.stringify({ id: 's', do: 'start', file: name, anyway: true }) })
  await until('printed', async () => (await json('/v1/state')).last_job?.outcome === 'done')
})

test('the graph is there, and still is after a reload', async () => {
  await graph().waitFor()
  await until('several points', async () => (await points()) >= 3)
  assert.match(await graph().getAttribute('aria-label'), /Nozzle now \d+ °C.*Bed now \d+ °C/)
  const had = await points()
  await page.reload()
  await graph().waitFor()
  await until('all points again', async () => (await points()) >= had)
  await until('something is drawn', async () => (await painted(graph())) > 500)
})

test('the history has totals, and a sheet with picture and curve', async () => {
  await tab('Files')
  await page.getByRole('button', { name: 'History' }).click()
  await page.getByRole('region', { name: 'Totals by month' }).getByText('1 finished').waitFor()
  const row = page.getByRole('region', { name: 'History' }).getByRole('button', { name: /SUM/ })
  assert.match(await row.innerText(), /Finished/)
  await row.click()
  const sheet = page.getByRole('dialog', { name })
  await until('the picture', () => sheet.getByRole('img', { name: /last picture/ }).evaluate((img) => img.naturalWidth > 100))
  const curve = sheet.getByRole('img', { name: /^Temperatures of this print/ })
  await until('the curve', async () => (await painted(curve)) > 500)
  assert.match(await sheet.innerText(), /Filament\s+[\d.]+ m/)
})

test('history and sheet can be read by everybody, on small phones too, light and dark', async () => {
  const found = []
  for (const colorScheme of ['light', 'dark']) {
    const small = await rig.phone(`/#token=${key}`, { viewport: { width: 320, height: 568 }, colorScheme, bypassCSP: true })
    const look = async (what) => {
      found.push(...(await inaccessible(small)).map((w) => `${what}, ${colorScheme}: ${w}`))
      const wide = await small.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth)
      if (wide > 0) found.push(`${what} is ${wide} px too wide`)
    }
    await small.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Files' }).click()
    await small.getByRole('button', { name: 'History' }).click()
    const row = small.getByRole('region', { name: 'History' }).getByRole('button', { name: /SUM/ })
    await row.waitFor()
    await look('the history')
    await row.click()
    await small.getByRole('img', { name: /^Temperatures of this print/ }).waitFor()
    await look('the sheet')
    await small.context().close()
  }
  assert.deepEqual(found, [])
})

test('print again asks whether the bed is clear', async () => {
  await page.getByRole('dialog').getByRole('button', { name: 'Print again' }).click()
  await page.getByRole('dialog', { name }).getByRole('button', { name: 'Print', exact: true }).click()
  await page.getByRole('dialog', { name: 'Is the bed clear?' }).waitFor()
  await page.getByRole('button', { name: 'Close' }).click()
  await page.getByRole('button', { name: 'Close' }).click()
})

test('a file of other content is not printed again', async () => {
  await upload(name, 'G28\nG1 X50 Y50 F3000\nG1 X60 E1\n')
  await page.getByRole('button', { name: 'History' }).click()
  await page.getByRole('region', { name: 'History' }).getByRole('button', { name: /SUM/ }).click()
  await page.getByText('has another content now').waitFor()
  assert.ok(await page.getByRole('button', { name: 'Print again' }).isDisabled())
  await page.getByRole('button', { name: 'Close' }).click()
})

test('the export downloads and can be read', async () => {
  const waiting = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Export as CSV' }).click()
  const download = await waiting
  assert.match(basename(download.suggestedFilename()), /\.csv$/)
  const lines = readFileSync(await download.path(), 'utf8').split('\r\n')
  assert.equal(lines.length, 3, lines.join('\n')) // header, one print, and nothing behind the last line end
  assert.match(lines[0], /^Started \(local time\),.*Filament \(m\)/)
  const cells = lines[1].split(',')
  assert.equal(cells.length, lines[0].split(',').length)
  assert.equal(cells[2], `'${name}`)
  assert.equal(cells[3], 'done')
  const [print] = (await json('/v1/prints')).prints
  const there = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' }).format(print.started_ms)
  assert.equal(cells[0], there, 'the time is of the machine\'s zone')
})

test('a viewer may read all this', async () => {
  const [print] = (await json('/v1/prints')).prints
  key = rig.token('viewer')
  assert.equal((await call(`/v1/pictures/${print.id}`)).headers.get('content-type'), 'image/jpeg')
  assert.ok((await json(`/v1/curves/${print.id}`)).after_ms.length > 0)
  assert.equal((await json('/v1/totals')).months[0].done, 1)
  await call('/v1/prints.csv')
  await call('/v1/temperatures')
})

test('the page had nothing to complain about', () => assert.deepEqual(rig.errors, []))
