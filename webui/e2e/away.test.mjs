// Away from home as a person sees it: on from the page, logged in by a link, reached by a phone over the network, warned, left.
import assert from 'node:assert/strict'
import { after, before, test as run } from 'node:test'
import { freePort, inaccessible, Rig, until } from './rig.mjs'

const rig = new Rig()
const other = new Rig()
const test = rig.steps(run)
const domain = 'tail-scale.ts.net'
let net, zero, key, otherKey, page

before(async () => {
  [net, zero] = await Promise.all([rig.tailnet(), rig.zerotier()])
  rig.address = `127.0.0.1:${await freePort()}`
  const env = { TS_ASSUME_NETWORK_UP_FOR_TEST: 'true', LAYERD_ZEROTIER_TOKEN_FILE: zero.token }
  key = await rig.demo(env)
  otherKey = await other.demo({ ...env, LAYERD_OVERLAY: 'tailnet', LAYERD_TAILNET_NAME: 'mk4', LAYERD_TAILNET_CONTROL_URL: net.control, LAYERD_TAILNET_TAGS: 'tag:printer' })
  await rig.browser()
  page = await rig.phone(`/#token=${key}`, { bypassCSP: true })
  await page.getByTestId('state').waitFor()
})
after(async () => {
  await rig.end()
  await other.end()
})

const overlay = async (at, bearer) => (await at.call(bearer, '/v1/overlay')).json()
const button = (name, on = page) => on.getByRole('button', { name, exact: true })
const go = async (hash) => {
  await page.evaluate((to) => { location.hash = to }, hash)
  await page.evaluate(() => scrollTo(0, 0))
}
const big = (text, ms = 20_000) => until(text, async () => (await page.getByTestId('away-state').innerText().catch(() => '')) === text, ms)

/** fine: nothing is too wide, too small to tap, or hard to read, in the light and in the dark. */
async function fine(name) {
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width: 320, height: 568 })
    assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth), `${name}: the page is too wide`)
    await page.setViewportSize({ width: 390, height: 844 })
    const small = await page.evaluate(() => [...document.querySelectorAll('main button, main a, main summary, main label.choice, dialog button')].filter((e) => e.checkVisibility())
      .map((e) => ({ name: e.textContent, box: e.getBoundingClientRect() })).filter(({ box }) => box.width > 0 && Math.min(box.width, box.height) < 44).map(({ name }) => name))
    assert.deepEqual(small, [])
    assert.deepEqual(await inaccessible(page), [])
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/away-${name}-${colorScheme}.png` })
  }
}

test('it is off, and turned on from Settings with a few words', async () => {
  await go('#/settings')
  await page.getByRole('link', { name: /^Away from home/ }).click()
  await page.getByRole('radio', { name: /^Tailnet/ }).check()
  await page.getByLabel("This printer's name there").fill('voron')
  await page.getByText('Advanced').click()
  await page.getByLabel('Control server').fill(net.control)
  await page.getByLabel('Tags').fill('printer')
  await fine('form')
  await button('Turn on').click()
})

test('the login link comes by itself, with a QR code, and once somebody has logged in, so does the address', async () => {
  await big('Open this link on any device and log in')
  const link = await page.getByTestId('address').innerText()
  assert.equal(await page.getByRole('link', { name: 'Open the link' }).getAttribute('href'), link)
  const qr = page.getByRole('img', { name: 'QR code of the login link' })
  await until('the picture', () => qr.evaluate((img) => img.naturalWidth > 100))
  await fine('login')
  await net.happens(`approve ${link}`)
  await big('Joined as voron')
  assert.equal(await page.getByTestId('address').innerText(), `http://voron.${domain}/`)
  await button('QR code').click()
  await page.getByRole('img', { name: "QR code of this printer's address" }).waitFor()
  await fine('running')
})

test('when its key has ended that is said on the first screen too, and undone by itself when it is renewed', async () => {
  await net.happens('expire voron')
  await go('#/print')
  await page.getByRole('link', { name: /^Away from home: .*key has ended/ }).click()
  await big('Open this link on any device and log in')
  await page.getByText(/key has ended or was revoked/).waitFor()
  await fine('ended')
  const link = await page.getByTestId('address').innerText() // before it joins by itself
  await net.happens('renew voron')
  await net.happens(`approve ${link}`)
  await big('Joined as voron')
})

test('other printers of the same network are listed, with what they do and a picture', async () => {
  const link = await until('the other asks', async () => (await overlay(other, otherKey)).status.login_url)
  await net.happens(`approve ${link}`)
  await until('the other is there', async () => (await overlay(other, otherKey)).status.state === 'running')
  await go('#/settings/printers')
  await until('it is found', async () => {
    if (await page.locator('.printer').count() > 0) return true
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange'))) // as if the phone had been put away
    return new Promise((later) => setTimeout(() => later(false), 1000))
  })
  const mk4 = page.getByRole('link', { name: /mk4/ })
  assert.equal(await mk4.getAttribute('href'), `http://mk4.${domain}/`)
  await until('its state', async () => /Ready/.test(await mk4.innerText()))
  await until('its picture', () => mk4.getByRole('img').evaluate((img) => img.naturalWidth > 100))
  await page.getByText('this device has to be on the network too').waitFor()
  await fine('printers')
  await go('#/print')
  await page.getByRole('link', { name: /Other printers/ }).click()
  await mk4.waitFor()
})

test('what the configuration sets is shown, and cannot be changed', async () => {
  const theirs = await other.phone.call({ ...other, chromium: rig.chromium, pages: rig.pages, errors: rig.errors, url: other.url }, `/#token=${otherKey}`)
  await theirs.getByTestId('state').waitFor()
  await theirs.evaluate(() => { location.hash = '#/settings/away' })
  await theirs.getByText('Advanced').click()
  for (const name of ["This printer's name there", 'Control server', 'Tags']) assert.ok(await theirs.getByLabel(name).isDisabled(), name)
  assert.equal(await theirs.getByText("Set by layerd's environment").count(), 4)
  await theirs.context().close()
})

test('turned on while the control server is away, it says so in words, and joins by itself when that is back', async () => {
  await go('#/settings/away')
  await page.getByRole('radio', { name: /^Off/ }).check()
  await button('Turn off').click()
  await until('seen to be off', async () => (await page.getByTestId('away-state').count()) === 0)
  await net.happens('down')
  await page.getByRole('radio', { name: /^Tailnet/ }).check()
  await button('Turn on').click()
  await big('Cannot be reached from elsewhere', 40_000)
  await page.getByText(/control server does not answer/).waitFor()
  await fine('down')
  await net.happens('up')
  await big('Joined as voron')
  assert.equal(await page.getByTestId('address').innerText(), `http://voron.${domain}/`)
})

test('a phone on the network opens the page, is known by it, and may look and no more', async () => {
  const phone = await rig.phone('/', { proxy: { server: net.proxy } }).then(async (there) => {
    await there.goto(`http://voron.${domain}/`)
    return there
  })
  await phone.getByTestId('state').waitFor()
  await until('connected', async () => (await phone.getByTestId('state').innerText()) === 'Ready')
  assert.equal(await phone.getByRole('button', { name: 'Emergency stop' }).count(), 0)
  await phone.evaluate(() => { location.hash = '#/settings/account' })
  await phone.getByText('Viewer, by the tailnet.').waitFor()
  const { me } = await phone.evaluate(async () => (await fetch('/v1/state')).json())
  assert.deepEqual([me.id, me.role, me.via], [`tailnet:${net.person}`, 'viewer', 'tailnet'])
  await phone.getByRole('heading', { name: me.name }).waitFor()
  assert.equal(await phone.evaluate(async () => (await fetch('/v1/do', { method: 'POST', body: JSON.stringify({ id: 'x', do: 'home' }) })).status), 403)
  if (process.env.SHOTS) await phone.screenshot({ path: `${process.env.SHOTS}/away-phone.png` })
  await phone.context().close()
})

test('it is left after a question, and is off then', async () => {
  await button('Leave the network').click()
  await fine('leave')
  await page.getByRole('alertdialog').getByRole('button', { name: 'Leave', exact: true }).click()
  await until('off', async () => (await overlay(rig, key)).status.state === 'off')
  await until('seen to be off', async () => (await page.getByTestId('away-state').count()) === 0)
  assert.ok(await page.getByRole('radio', { name: /^Off/ }).isChecked())
})

test('ZeroTier waits until this machine is authorised, and shows the address then', async () => {
  await page.getByRole('radio', { name: /^ZeroTier/ }).check()
  await page.getByLabel('Network ID').fill('8056C2E21C000001')
  await button('Turn on').click()
  await big('Waiting for authorisation')
  assert.equal(await page.getByTestId('member').innerText(), 'a1b2c3d4e5')
  await fine('zerotier')
  zero.happens('authorise')
  await until('joined', async () => /^Joined /.test(await page.getByTestId('away-state').innerText()))
  await page.getByText(/serves its page on 127\.0\.0\.1 alone/).waitFor() // as this test has it
  await fine('zerotier-joined')
  await page.getByRole('radio', { name: /^Off/ }).check()
  await button('Turn off').click()
  await until('off', async () => (await overlay(rig, key)).status.state === 'off')
  assert.deepEqual(rig.errors, [])
})
