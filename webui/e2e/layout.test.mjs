// Every screen, idle and in mid-print: nothing is wider than the phone, everything can be reached and is named, light and dark.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test as run } from 'node:test'
import { inaccessible, realFile, Rig, until } from './rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
const screens = ['Print', 'Files', 'Move', 'Console', 'Settings']
const sizes = { small: { width: 320, height: 568 }, phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } }
let key

before(async () => {
  await rig.printer('--speed', '2', '--heat', '60')
  await rig.daemon()
  await rig.browser()
  key = rig.token()
})
after(() => rig.end())

/** each looks at every screen in every size and scheme, and says all that was found. */
async function each(check) {
  const found = new Set()
  for (const [name, viewport] of Object.entries(sizes)) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await rig.phone(`/#token=${key}`, { viewport, colorScheme, bypassCSP: true })
      await page.getByTestId('state').waitFor()
      for (const screen of screens) {
        await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: screen }).click()
        await page.waitForFunction((s) => location.hash.startsWith(`#/${s.toLowerCase()}`) || s === 'Print', screen)
        for (const problem of await check(page)) found.add(`${screen}, ${name}, ${colorScheme}: ${problem}`)
      }
      await page.context().close()
    }
  }
  assert.deepEqual([...found], [])
}

/** fits: nothing makes the page wider than its window. */
async function fits(page) {
  const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth)
  return wide > 0 ? [`the page is ${wide} px too wide`] : []
}

/** touchable: what can be tapped is at least 44 px in its smaller direction, which is what phone makers ask for. */
async function touchable(page) {
  return page.evaluate(() => [...document.querySelectorAll('button, nav a, select, input:not([type=range]):not([type=checkbox]):not([type=radio]):not(.unseen)')]
    .filter((e) => e.checkVisibility())
    .map((e) => ({ name: e.getAttribute('aria-label') ?? e.textContent.trim(), box: e.getBoundingClientRect() }))
    .filter(({ box }) => box.width > 0 && Math.min(box.width, box.height) < 44)
    .map(({ name, box }) => `too small to tap: ${name} ${Math.round(box.width)}×${Math.round(box.height)}`))
}

const all = async (page) => [...await fits(page), ...await touchable(page), ...await inaccessible(page)]

test('idle', () => each(all))

/** below: the pages below Settings, and what the Files screen shows besides files, on a narrow phone in both schemes and on a desktop. */
test('what is a tap further away', async () => {
  const found = new Set()
  for (const [viewport, colorScheme] of [[sizes.small, 'light'], [sizes.phone, 'dark'], [sizes.desktop, 'light']]) {
    const page = await rig.phone(`/#token=${key}`, { viewport, colorScheme, bypassCSP: true })
    await page.getByTestId('state').waitFor()
    await page.goto(`${rig.url}/#/settings`)
    const pages = page.getByRole('navigation', { name: 'More settings' }).getByRole('link')
    await pages.first().waitFor()
    const addresses = await pages.evaluateAll((links) => links.map((a) => a.getAttribute('href')))
    assert.ok(addresses.length >= 7, `only ${addresses}`)
    const look = async (name) => {
      await page.locator('#screen .spinner').first().waitFor({ state: 'detached' })
      for (const problem of await all(page)) found.add(`${name}, ${viewport.width} px, ${colorScheme}: ${problem}`)
    }
    for (const address of addresses) {
      await page.goto(`${rig.url}/${address}`)
      await page.getByRole('link', { name: 'All settings' }).waitFor()
      await look(address)
    }
    await page.goto(`${rig.url}/#/files`)
    for (const view of ['Queue', 'History']) {
      await page.getByRole('group', { name: 'Show' }).getByRole('button', { name: view }).click()
      await look(view)
    }
    await page.context().close()
  }
  assert.deepEqual([...found], [])
})

test('in mid-print', async () => {
  const bearer = { authorization: `Bearer ${key}` }
  const name = 'a rather long name of a file that somebody downloaded, final version (2).gcode'
  const put = await fetch(`${rig.url}/v1/files/${encodeURIComponent(name)}`, { method: 'PUT', headers: bearer, body: readFileSync(realFile()) })
  assert.ok(put.ok, await put.text())
  const start = await fetch(`${rig.url}/v1/do`, { method: 'POST', headers: bearer, body: JSON.stringify({ id: 's', do: 'start', file: name, anyway: true }) })
  assert.ok(start.ok, await start.text())
  await until('printing', async () => (await (await fetch(`${rig.url}/v1/state`, { headers: bearer })).json()).state === 'printing')
  await each(all)
})

test('the whole page works with the keyboard alone', async () => {
  const page = await rig.phone(`/#token=${key}`, { viewport: sizes.desktop })
  await page.getByTestId('state').waitFor()
  const reach = async (name) => {
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab')
      const on = await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent?.trim())
      if (name.test(on ?? '')) return
    }
    assert.fail(`Tab never came to ${name}`)
  }
  await reach(/^Pause$/)
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle)
  assert.notEqual(ring, 'none', 'focus cannot be seen')
  await page.keyboard.press('Enter')
  await until('paused', async () => (await page.getByTestId('state').innerText()) === 'Paused')
  await reach(/^Nozzle/)
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await until('the sheet is closed', async () => (await page.getByRole('dialog').count()) === 0)
  assert.match(await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? ''), /^Nozzle/, 'focus goes back to where it was')
})
