// The keeper, in a browser: a hotend whose sensor breaks in mid-print, on firmware without protection, with heaters off and a named fault on the phone;
// and heat that is counted down while nobody prints.
import assert from 'node:assert/strict'
import { after, before, test as run } from 'node:test'
import { realFile, Rig, until } from './rig.mjs'
import { basename } from 'node:path'

const rig = new Rig()
const test = rig.steps(run)
const file = realFile()
let page

before(async () => {
  await rig.printer('--speed', '2', '--heat', '60', '--protection', '0', '--faults', 'heat@nozzle:dead:80')
  await rig.daemon()
  await rig.browser()
  page = await rig.phone(`/#token=${rig.token()}`)
})
after(() => rig.end())

const state = (wanted) => until(`state ${wanted}`, async () => (await page.getByTestId('state').innerText()) === wanted)

test('a printer without thermal protection is a standing warning', async () => {
  await state('Ready')
  await page.getByTestId('protection').getByText("This printer's thermal protection is off").waitFor()
})

test('heat without a print is counted down, and kept warm by a tap', async () => {
  await page.getByRole('button', { name: /^Bed/ }).click()
  await page.getByRole('dialog').getByLabel(/target/i).fill('60')
  await page.getByRole('dialog').getByRole('button', { name: 'Set' }).click()
  await page.getByTestId('keeper').getByRole('timer').getByText(/Bed off in (30|29) min/).waitFor()
  await page.keyboard.press('Escape')
  await page.getByTestId('keeper').getByRole('button', { name: 'Keep warm' }).click()
  await page.getByTestId('keeper').getByRole('timer').waitFor()
})

test('the times are settings, and stay', async () => {
  await page.goto(`${rig.url}/#/settings/safety`)
  await page.getByLabel(/Anything hot without a print/).fill('45')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved.').waitFor()
  await page.reload()
  await until('the time after a reload', async () => (await page.getByLabel(/Anything hot without a print/).inputValue()) === '45')
})

test('a sensor that breaks in mid-print ends it with a named fault and heaters off', async () => {
  await page.goto(`${rig.url}/#/files`)
  await page.getByLabel('G-code files to upload').setInputFiles(file)
  await page.getByRole('list', { name: 'Uploads' }).getByRole('link', { name: 'Open' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Print' }).click()
  await page.getByRole('button', { name: 'Bed is clear, print' }).click()
  await state('Stopped by a fault')
  await page.getByText(/Something is wrong with the heat of the nozzle: its sensor says -15 °C/).first().waitFor()
  const off = () => rig.executed().lastIndexOf('M104 S0')
  await until('heaters off', () => off() > rig.executed().findLastIndex((l) => /^M10[49] S[1-9]/.test(l)))
  await page.goto(`${rig.url}/#/files`)
  await page.getByRole('button', { name: 'History' }).click()
  await page.getByRole('region', { name: 'History' }).getByText(basename(file)).first().waitFor()
  assert.deepEqual(rig.errors, [])
})
