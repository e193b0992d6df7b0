// The printer's own memory card: a print that somebody starts at the panel is seen, controlled and ended from a phone; its files are listed, and one
// is started.
import assert from 'node:assert/strict'
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test as run } from 'node:test'
import { Rig, until } from './rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
let page
const pictures = process.env.PICTURES // a folder, to look at them
const picture = async (name) => { if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`) }) }

before(async () => {
  const card = join(rig.dir, 'card')
  mkdirSync(card)
  const moves = 'M104 S200\nM109 S200\nG28\nG1 Z1 F600\nG91\nM83\n' + 'G1 X10 E.4 F1200\nG1 X-10 E.4\n'.repeat(4000) + 'M104 S0\nM84\n'
  const put = (name, text, day) => {
    writeFileSync(join(card, name), text)
    utimesSync(join(card, name), new Date(2026, 0, day), new Date(2026, 0, day))
  }
  put('Cube 20 mm, 0.2 mm layers.gcode', moves, 20)
  put('Short.gcode', 'M117 Hello\nM104 S40\nM104 S0\n', 10)
  put('A rather long name of a thing that somebody has sliced twice (2).gcode', moves, 5)
  await rig.printer('--card', card, '--speed', '10', '--heat', '60')
  await rig.daemon()
  await rig.browser()
  page = await rig.phone(`/#token=${rig.token()}`)
})
after(() => rig.end())

const text = (id) => page.getByTestId(id).innerText()
const tab = (name) => page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name }).click()
const state = (wanted) => until(`state ${wanted}`, async () => (await text('state')) === wanted)

test('a print that is started at the panel is seen with its name', async () => {
  await state('Ready')
  rig.sim.kill('SIGUSR2')
  await state('Printing')
  await page.getByRole('region', { name: 'Print from the card' }).waitFor()
  await until('its name', async () => (await text('job-name')) === 'Cube 20 mm, 0.2 mm layers.gcode')
  await until('progress', async () => Number(await text('percent')) > 0)
  await picture('card-printing')
})

test('nothing can be moved meanwhile', async () => {
  await tab('Move')
  await page.getByText('The printer is printing from its own card.').first().waitFor()
  await picture('card-move')
  await tab('Print')
})

test('it is paused, and goes on', async () => {
  await page.getByRole('button', { name: 'Pause', exact: true }).click()
  await state('Paused')
  await picture('card-paused')
  const before = rig.executed().filter((line) => line.startsWith('G1 X')).length
  await page.getByRole('button', { name: 'Resume', exact: true }).click()
  await state('Printing')
  await until('it moves on', () => rig.executed().filter((line) => line.startsWith('G1 X')).length > before)
})

test('it is stopped, and cools down', async () => {
  await page.getByRole('button', { name: /^Stop print/ }).click()
  await page.getByRole('alertdialog', { name: 'Stop this print?' }).getByRole('button', { name: 'Stop print' }).click()
  await state('Ready')
  await page.getByRole('region', { name: 'Last print' }).getByText("From the printer's own card").waitFor()
  await until('the end of it', () => rig.executed().includes('M524'))
  await until('heaters off', () => rig.executed().slice(-20).includes('M104 S0'))
  await picture('card-stopped')
})

test('the files of the card are listed, and one is started after the question for the bed', async () => {
  await tab('Files')
  await page.getByRole('button', { name: 'Card', exact: true }).click()
  const files = page.getByRole('region', { name: "Files on the printer's card" })
  await files.getByText('Short.gcode').waitFor()
  assert.deepEqual(await files.locator('.file-row strong').allInnerTexts(), ['Cube 20 mm, 0.2 mm layers.gcode', 'Short.gcode', 'A rather long name of a thing that somebody has sliced twice (2).gcode'])
  await picture('card-files')
  await files.getByRole('button', { name: /Cube 20 mm/ }).click()
  await picture('card-sheet')
  await page.getByRole('dialog').getByRole('button', { name: 'Print' }).click()
  await page.getByRole('dialog', { name: 'Is the bed clear?' }).waitFor()
  await page.getByRole('button', { name: 'Bed is clear, print' }).click()
  await page.getByRole('region', { name: 'Print from the card' }).waitFor()
  assert.equal(await text('job-name'), 'Cube 20 mm, 0.2 mm layers.gcode')
  await state('Printing')
  await tab('Files')
  await page.getByRole('button', { name: 'Card', exact: true }).click()
  await page.getByText('not again while it prints').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Read again' }).isDisabled(), true)
})

test('the history has both, and the page no complaints', async () => {
  await page.getByRole('button', { name: 'History', exact: true }).click()
  await page.getByText("from the printer's own card").nth(1).waitFor()
  await picture('card-history')
  assert.deepEqual(rig.errors, [])
})
