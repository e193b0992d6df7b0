// People, as they come: the first owner by the printed link, others whom he lets in, a link that only looks, and what is asked again.
// With SHOTS=DIR in the environment each step leaves a picture there.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test as run } from 'node:test'
import { inaccessible, Rig, until } from './rig.mjs'

const rig = new Rig()
const test = rig.steps(run)
const words = { Ann: 'four words are enough', Otto: 'otto prints at night', Vera: 'vera only looks on' }
let ann // the owner's phone

const open = (path, options = {}) => rig.phone(path, { bypassCSP: true, ...options })
const shot = async (page, name) => {
  if (!process.env.SHOTS) return
  mkdirSync(process.env.SHOTS, { recursive: true })
  await page.waitForTimeout(400)
  await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), fullPage: true })
}
/** On the narrowest phone nothing sticks out or is too small to tap, and axe finds no violation of WCAG 2.1 A and AA, light or dark. */
const fits = async (page, what) => {
  await shot(page, what)
  await page.setViewportSize({ width: 320, height: 640 })
  const found = []
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme })
    found.push(...await inaccessible(page), ...await page.evaluate(() => {
      const wide = [document.scrollingElement, ...document.querySelectorAll('dialog')].filter((e) => e.scrollWidth > e.clientWidth + 1)
      const small = [...document.querySelectorAll('button, select, input:not([type=radio], [type=checkbox])')].filter((e) => e.checkVisibility() && !e.matches('.unseen'))
        .filter((e) => Math.min(e.getBoundingClientRect().width, e.getBoundingClientRect().height) < 44)
      return [...wide.map(() => 'it is too wide'), ...small.map((e) => `too small: ${e.outerHTML.slice(0, 80)}`)]
    }))
  }
  await page.setViewportSize({ width: 390, height: 844 })
  assert.deepEqual([...new Set(found)], [], what)
}
const state = (page, wanted) => until(`state ${wanted}`, async () => (await page.getByTestId('state').innerText()) === wanted)
const tabs = (page) => page.getByRole('navigation', { name: 'Screens' })
/** Opens a page below Settings; the list of them is opened first, as a person does. */
const settings = async (page, name) => {
  await tabs(page).getByRole('link', { name: 'Settings' }).click()
  await page.goto(`${rig.url}/#/settings`)
  await page.getByRole('link', { name: new RegExp(`^${name}`) }).click()
  await page.getByRole('heading', { name, exact: true, level: 2 }).first().waitFor()
}
const logIn = async (page, name, password = words[name]) => {
  const form = page.locator('form').filter({ has: page.getByLabel('Password', { exact: true }) })
  await form.getByLabel('Name').fill(name)
  await form.getByLabel('Password', { exact: true }).fill(password)
  await form.getByRole('button', { name: 'Log in' }).click()
}
/** What layerd answers to a request of the page, with the page's own cookie. */
const status = (page, method, path, body) => page.evaluate(async ([method, path, body]) => {
  const answer = await fetch(path, { method, body: body && JSON.stringify(body) })
  return [answer.status, answer.ok ? '' : (await answer.json()).error.code].join(' ').trim()
}, [method, path, body])
const confirm = async (page, password) => {
  const sheet = page.getByRole('dialog', { name: 'Is it you?' })
  await sheet.getByLabel('Your password', { exact: true }).fill(password)
  await sheet.getByRole('button', { name: 'Go on' }).click()
  return sheet
}

before(async () => {
  await rig.printer('--speed', '20', '--heat', '100')
  await rig.daemon()
  await rig.browser()
})
after(() => rig.end())

test('who has no link reads where it is printed', async () => {
  const page = await open('/')
  await page.getByText('journalctl -u layerd').waitFor()
  await fits(page, 'nobody-owns-it')
  await page.context().close()
})

test('the printed link makes the first owner, and leaves the address', async () => {
  ann = await open(`/${rig.setup()}`)
  await ann.getByRole('heading', { name: 'Welcome' }).waitFor()
  assert.ok(!ann.url().includes('setup'), `the secret is still in ${ann.url()}`)
  await ann.getByLabel('Name').fill('Ann')
  await ann.getByLabel('Password', { exact: true }).fill('short')
  assert.ok(await ann.getByRole('button', { name: 'Become the owner' }).isDisabled())
  await fits(ann, 'welcome')
  await ann.getByLabel('Password', { exact: true }).fill(words.Ann)
  await ann.getByRole('button', { name: 'Become the owner' }).click()
  await state(ann, 'Ready')
})

test('the link works once', async () => {
  const page = await open(`/${rig.setup()}`)
  await page.getByText('has its owner already').waitFor()
  await page.getByRole('heading', { name: 'Log in' }).waitFor()
  await page.context().close()
})

test('out and in again; a wrong password is told in words', async () => {
  await settings(ann, 'Your account')
  await ann.getByText('Owner, by password').waitFor()
  await ann.getByRole('button', { name: 'Log out', exact: true }).click()
  await ann.getByRole('heading', { name: 'Log in' }).waitFor()
  await logIn(ann, 'Ann', 'a wrong password')
  await ann.getByText('do not belong together').waitFor()
  await fits(ann, 'wrong-password')
  const button = ann.locator('form').first().getByRole('button', { name: /^(Log in|Wait \d+ s)$/ })
  const ready = () => button.evaluateAll((all) => all.some((b) => !b.disabled)) // now: who is in meanwhile has no such button
  await until('it is too soon for another try', async () => {
    if ((await button.innerText()).startsWith('Wait')) return true
    if (await ready()) await logIn(ann, 'Ann', 'another wrong one')
    return false
  })
  await ann.getByText('Too many wrong tries.').waitFor()
  await shot(ann, 'wait')
  await until('it may be tried again', async () => {
    if (await ann.getByTestId('state').count() === 1) return true
    if (await ready()) await logIn(ann, 'Ann')
    return false
  })
  await state(ann, 'Ready')
})

test('an operator and a viewer are let in, after who adds them has proved who she is', async () => {
  await settings(ann, 'People')
  for (const [name, role] of [['Otto', 'Operator'], ['Vera', 'Viewer']]) {
    await ann.getByRole('button', { name: 'Add a person' }).click()
    const sheet = ann.getByRole('dialog', { name: 'Add a person' })
    await sheet.getByLabel('Name').fill(name)
    await sheet.getByLabel('Password', { exact: true }).fill(words[name])
    await sheet.getByRole('radio', { name: new RegExp(`^${role}`) }).check()
    await fits(ann, `add-${name}`)
    await sheet.getByRole('button', { name: 'Add', exact: true }).click()
    if (name === 'Otto') { // asked once; who gives up changes nothing, and who is wrong is told so
      await fits(ann, 'is-it-you')
      await ann.getByRole('button', { name: 'Cancel' }).click()
      assert.equal((await (await ann.request.get(`${rig.url}/v1/people`)).json()).people.length, 1)
      await sheet.getByRole('button', { name: 'Add', exact: true }).click()
      const question = await confirm(ann, 'not my password')
      await question.getByText('This is not your password').waitFor()
      await until('it may be tried again, and is right', async () => {
        if (await question.count() === 0) return true
        const go = question.getByRole('button', { name: 'Go on' })
        if (await go.count() === 1 && await go.isEnabled()) await confirm(ann, words.Ann)
        return false
      })
    }
    await ann.getByRole('button', { name: new RegExp(`^${name} ${role}`) }).waitFor()
  }
  await fits(ann, 'people')
})

test('the last owner cannot be removed', async () => {
  await ann.getByRole('button', { name: /^Ann Owner/ }).click()
  await ann.getByRole('button', { name: 'Remove Ann' }).click()
  await ann.getByRole('alertdialog', { name: 'Remove Ann?' }).getByRole('button', { name: 'Remove Ann' }).click()
  await ann.getByText('Nobody would be left').waitFor()
  await fits(ann, 'last-owner')
  await ann.getByRole('button', { name: 'Close', exact: true }).click()
})

test('a viewer is shown no button that layerd would refuse, and layerd refuses anyway', async () => {
  const vera = await open('/')
  await logIn(vera, 'Vera')
  await state(vera, 'Ready')
  assert.deepEqual(await tabs(vera).getByRole('link').allInnerTexts(), ['Print', 'Files', 'Settings'])
  for (const [at, ready] of [['print', 'Bed: '], ['files', 'Search files'], ['settings', 'Connection'], ['settings/spools', 'Spools'], ['settings/mesh', 'Bed mesh'], ['settings/account', 'Logged in']]) {
    await vera.goto(`${rig.url}/#/${at}`)
    await vera.locator(`[aria-label^="${ready}"]`).first().waitFor()
    assert.deepEqual(await vera.locator('main button:disabled').allInnerTexts().then((all) => all.filter((text) => !/Change my password/.test(text))), [], at)
    assert.equal(await vera.getByRole('button', { name: /^(Upload|New folder|Add a spool|Put on|Read|Probe|Connect|Disconnect|Emergency stop|Pause|Stop)/ }).count(), 0, at)
    await fits(vera, `viewer-${at.replace('/', '-')}`)
  }
  for (const [method, path, body] of [['POST', '/v1/do', { id: 'x1', do: 'home', axes: '' }], ['PUT', '/v1/files/x.gcode'], ['GET', '/v1/people'], ['POST', '/v1/tokens', { name: 'x', role: 'owner' }], ['GET', '/v1/audit'], ['GET', '/v1/sessions?all=1']]) {
    assert.equal(await status(vera, method, path, body), '403 role_too_low', `${method} ${path}`)
  }
  await vera.context().close()
})

test('an operator prints and moves, and sees neither the settings of the owner nor people', async () => {
  const otto = await open('/')
  await logIn(otto, 'Otto')
  await state(otto, 'Ready')
  await tabs(otto).getByRole('link', { name: 'Console' }).click()
  await otto.getByText('Only an owner may send lines').waitFor()
  assert.equal(await otto.getByRole('button', { name: 'Send' }).count(), 0)
  await tabs(otto).getByRole('link', { name: 'Settings' }).click()
  await otto.getByRole('link', { name: /^Your account/ }).waitFor()
  for (const name of ['People', 'Keys and links', 'What was done', 'Scripts']) assert.equal(await otto.getByRole('link', { name: new RegExp(`^${name}`) }).count(), 0, name)
  assert.equal(await status(otto, 'POST', '/v1/do', { id: 'x2', do: 'send', line: 'M114' }), '403 role_too_low')
  assert.equal(await status(otto, 'POST', '/v1/people', { name: 'Mallory', role: 'owner', password: 'let me in please' }), '403 role_too_low')
  await otto.context().close()
})

test('a link that only looks opens the page, until it is taken back', async () => {
  await settings(ann, 'Keys and links')
  await ann.getByRole('button', { name: 'Make a link' }).click()
  const sheet = ann.getByRole('dialog')
  await sheet.getByLabel('For whom').fill('Grandma')
  await sheet.getByRole('radio', { name: '1 hour' }).click()
  await sheet.getByRole('button', { name: 'Make a link' }).click()
  await sheet.getByRole('img', { name: /QR code/ }).waitFor()
  const address = await sheet.getByTestId('secret').innerText()
  assert.match(address, /#token=ld_/)
  await fits(ann, 'link')
  await sheet.getByRole('button', { name: 'Done' }).click()

  const grandma = await open(address.replace(rig.url, ''))
  await state(grandma, 'Ready')
  assert.deepEqual(await tabs(grandma).getByRole('link').allInnerTexts(), ['Print', 'Files', 'Settings'])
  assert.equal(await status(grandma, 'POST', '/v1/do', { id: 'x3', do: 'pause', job: '' }), '403 role_too_low')
  await ann.getByRole('button', { name: 'Take back Grandma' }).click()
  await ann.getByRole('button', { name: 'Take back', exact: true }).click()
  await grandma.getByRole('heading', { name: 'Log in' }).waitFor() // by itself
  await grandma.getByText('You are not logged in any more').waitFor()
  await fits(grandma, 'ended')
  await grandma.goto('about:blank')
  await grandma.goto(address)
  await grandma.getByText('does not work: it has expired').waitFor()
  await grandma.context().close()
})

test('a program gets a key, shown once', async () => {
  await ann.getByRole('button', { name: 'Make a key' }).click()
  const sheet = ann.getByRole('dialog')
  await sheet.getByLabel('For which program').fill('OrcaSlicer')
  await sheet.getByRole('button', { name: 'Make a key' }).click()
  const key = await sheet.getByTestId('secret').first().innerText()
  await sheet.getByText('For programs that want a user and a password').click()
  await fits(ann, 'key')
  await sheet.getByRole('button', { name: 'Done' }).click()
  await rig.call(key, '/v1/files')
  await ann.getByText('OrcaSlicer').waitFor()
  await fits(ann, 'keys')
})

test('a program asks for a key itself, and the owner answers on whatever screen she is', async () => {
  const ask = async (app) => (await fetch(`${rig.url}/plugin/appkeys/request`, { method: 'POST', body: JSON.stringify({ app }) })).headers.get('location')
  /** What the program finds in the end, which looks twice a second, as programs do. */
  const found = async (at) => {
    for (;;) {
      const answer = await fetch(at)
      if (answer.status === 200) return (await answer.json()).api_key
      if (answer.status !== 202) return answer.status
      await new Promise((again) => setTimeout(again, 500))
    }
  }
  await tabs(ann).getByRole('link', { name: 'Files' }).click()
  const wanted = found(await ask('Cura <b>x</b>'))
  const card = ann.getByRole('alert', { name: 'Cura <b>x</b> asks for a key' })
  await card.waitFor()
  await fits(ann, 'asking')
  await card.getByRole('radio', { name: /Viewer/ }).check()
  await card.getByRole('button', { name: 'Allow' }).click()
  const key = await wanted
  await card.waitFor({ state: 'detached' })
  assert.match((await (await rig.call(key, '/api/version')).json()).text, /^OctoPrint /)
  const unwanted = found(await ask('Stranger'))
  await ann.getByRole('alert', { name: 'Stranger asks for a key' }).getByRole('button', { name: 'Refuse' }).click()
  assert.equal(await unwanted, 404)
  await settings(ann, 'Keys and links')
})

test('another password ends the other sessions, and their pages go to the door', async () => {
  const desk = await open('/')
  await logIn(desk, 'Ann')
  await state(desk, 'Ready')
  await settings(ann, 'Your account')
  await ann.getByText('This one').waitFor()
  await ann.getByRole('button', { name: 'Log out all others' }).waitFor()
  await fits(ann, 'account')
  await ann.getByLabel('Password now', { exact: true }).fill(words.Ann)
  await ann.getByLabel('New password', { exact: true }).fill('five words are even better')
  await ann.getByRole('button', { name: 'Change my password' }).click()
  await ann.getByText('Your password is changed.').waitFor()
  await desk.getByRole('heading', { name: 'Log in' }).waitFor()
  words.Ann = 'five words are even better'
  await logIn(desk, 'Ann')
  await state(desk, 'Ready')
  await settings(ann, 'Your account')
  await ann.getByRole('button', { name: 'Log out all others' }).click()
  await desk.getByRole('heading', { name: 'Log in' }).waitFor()
  await state(ann, 'Ready')
  await desk.context().close()
})

test('the owner reads what was done', async () => {
  await until('it is written down', async () => {
    const { entries } = await (await ann.request.get(`${rig.url}/v1/audit?limit=500`)).json()
    return entries.some((e) => e.what === 'set_password') && entries.some((e) => e.what === 'end_session')
  })
  await settings(ann, 'What was done')
  const said = await until('the list', async () => {
    const texts = await ann.getByRole('article').allInnerTexts()
    return texts.length > 8 && texts.join('\n')
  })
  for (const words of ['Changed their password', 'Let somebody in: Otto: operator', 'Made a key or link: Grandma: viewer', 'Took back a key or link: Grandma', 'Refused: wrong name or password', 'Refused: the last owner stays', 'from 127.0.0.1']) {
    assert.ok(said.includes(words), `${words} is not in\n${said}`)
  }
  for (const secret of Object.values(words)) assert.ok(!said.includes(secret), 'a password is in the list')
  await fits(ann, 'audit')
})

test('the page had nothing to complain about', () => assert.deepEqual(rig.errors, []))
