// The door, people and their words: what layerd answers is read, refusals become words, and dangerous things ask again.
import { fireEvent, getByLabelText, getByRole, queryByRole, waitFor } from '@testing-library/dom'
import { render, type ComponentChild } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Refused, refusal } from '../src/api'
import { confirmed } from '../src/confirm'
import { deedText, outcomeWords } from '../src/deeds'
import { doorWords, minPassword, passwordProblem, waitText } from '../src/door'
import { agoText, deviceText, expiryText, generatedPassword, linkAddress, readAudit, readMade, readPeople, readSessions, viaText } from '../src/people'
import { readCarried } from '../src/route'
import { Door } from '../src/screens/door'
import { PeoplePage } from '../src/screens/people'
import { setupSecret } from '../src/session'
import { link, linkStatus, loggedIn, over, received, state, turnedAway } from '../src/state'
import { exampleState } from './examples'

let root: HTMLElement
/** What the pretend layerd answers: path, or METHOD path, to status and body. */
let answers: Record<string, () => Response>
let calls: string[]

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) => () => new Response(JSON.stringify(body), { status, headers })
const no = (status: number, code: string, message = 'No.', headers: Record<string, string> = {}) => json({ error: { code, message, next: '' } }, status, headers)
const refusedWith = (status: number, code: string) => new Refused(status, { code, message: 'No.', next: 'Ask.', warnings: [], problems: [] })

beforeEach(() => {
  root = document.createElement('div')
  document.body.append(root)
  calls = []
  answers = {}
  vi.stubGlobal('fetch', (path: string, init: RequestInit = {}) => {
    const method = init.method ?? 'GET'
    calls.push([method, path, ...(init.body ? [String(init.body)] : [])].join(' '))
    const answer = answers[`${method} ${path}`]
    return Promise.resolve(answer ? answer() : no(404, 'no_route')())
  })
  vi.spyOn(link, 'start').mockImplementation(() => undefined)
})

afterEach(() => {
  act(() => {
    render(null, root)
    state.value = turnedAway.value = loggedIn.value = null
    setupSecret.value = ''
    linkStatus.value = 'connecting'
  })
  document.body.replaceChildren()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

/** Shows it, and lets what it asked for arrive. */
const show = async (what: ComponentChild) => {
  act(() => render(what, root))
  await settle()
}
const settle = () => act(() => new Promise<void>((done) => setTimeout(done)))
const type = (label: string | RegExp, text: string) => act(() => void fireEvent.input(getByLabelText(root, label), { target: { value: text } }))
const press = (name: string | RegExp, within: HTMLElement = document.body) => {
  act(() => getByRole(within, 'button', { name }).click())
  return settle()
}

describe('what the address carries', () => {
  it.each([
    ['#token=ld_abc', { kind: 'token', secret: 'ld_abc' }],
    ['http://pi:8080/#setup=a%2Fb', { kind: 'setup', secret: 'a/b' }],
    ['#/settings/people', null], ['ld_abc', null], ['', null], ['#token=', null],
  ])('%s', (address, want) => expect(readCarried(address)).toEqual(want))
})

describe('readers', () => {
  const person = { id: '1', name: 'Ann', role: 'owner', tailnet: false, created_ms: 1, used_ms: 2 }
  it('take what is agreed', () => {
    expect(readPeople({ people: [person], configured: null, default_role: 'viewer' }, '')).toEqual({ people: [person], configured: [], default_role: 'viewer' })
    expect(readSessions({ sessions: null }, '').sessions).toEqual([])
    expect(readAudit({ entries: [{ seq: 1, at_ms: 2, name: 'a', what: 'login', outcome: 'ok' }] }, '').entries[0]?.detail).toBe('')
  })
  it('refuse what is not', () => {
    expect(() => readPeople({ people: [{ ...person, role: 'god' }], configured: [], default_role: 'viewer' }, '')).toThrow('people[0].role')
    expect(() => readMade({ secret: 5, token: {}, qr: '' }, '')).toThrow('secret')
  })
})

describe('words', () => {
  it.each([
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1', 'Safari on iPhone'],
    ['Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36', 'Chrome on Android phone'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36 Edg/120.0', 'Edge on Windows'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0', 'Firefox on Linux'],
    ['curl/8.5.0', 'curl'], ['', 'Unknown device'], ['<script>', 'Unknown device'],
  ])('%s', (agent, want) => expect(deviceText(agent)).toBe(want))
  it('tell when a key ends', () => {
    expect(expiryText(0, 1)).toBe('never ends')
    expect(expiryText(3_600_000, 0)).toBe('ends in 1 h 0 min')
    expect(expiryText(7 * 86_400_000, 0)).toBe('ends in 7 days')
    expect(expiryText(1000, 2000)).toMatch(/^ended /)
    expect([agoText(0, 80_000), agoText(0, 600_000)]).toEqual(['now', '10 min ago'])
    expect([viaText('tailnet'), viaText('carrier pigeon')]).toEqual(['by the tailnet', 'carrier pigeon'])
  })
  it('tell what was done, also what this page does not know', () => {
    expect([deedText('pause'), deedText('set_moon_phase')]).toEqual(['Paused the print', 'Set moon phase'])
    expect([outcomeWords({ outcome: 'ok' }), outcomeWords({ outcome: 'role_too_low' }), outcomeWords({ outcome: 'odd_thing' })]).toEqual(['', 'Refused: not allowed', 'Refused: odd thing'])
  })
  it('tell each no at the door apart', () => {
    const all = [doorWords(refusedWith(401, 'wrong_password'), 'password'), doorWords(refusedWith(401, 'key_needed'), 'key'), doorWords(refusedWith(429, 'too_many_tries'), 'password'),
      doorWords(refusedWith(503, 'crowded'), 'password'), doorWords(refusedWith(0, 'unreachable'), 'password')]
    expect(new Set(all).size).toBe(all.length)
    expect([waitText(9), waitText(65)]).toEqual(['9 s', '1:05 min'])
  })
  it('a password made up is long enough, and never the same', () => {
    const made = generatedPassword()
    expect(made).toMatch(/^([a-z2-9]{4}-){3}[a-z2-9]{4}$/)
    expect(passwordProblem(made)).toBe('')
    expect(generatedPassword()).not.toBe(made)
    expect(passwordProblem('x'.repeat(minPassword - 1))).not.toBe('')
  })
  it('a link opens the page', () => expect(readCarried(linkAddress('ld_a+b', 'https://pi'))).toEqual({ kind: 'token', secret: 'ld_a+b' }))
  it('how long to wait comes from the header', () => expect(refusal(429, '{}', 30).waitS).toBe(30))
})

describe('the door', () => {
  const door = (setup: boolean, accounts: boolean) => {
    answers['GET /v1/door'] = json({ setup, accounts, name: 'pi' })
  }
  it('makes the first owner of the printed link', async () => {
    door(true, false)
    answers['POST /v1/setup'] = json({ id: '1', name: 'Ann', role: 'owner', via: 'session' })
    setupSecret.value = 's3cret'
    await show(<Door />)
    getByRole(root, 'heading', { name: 'Welcome' })
    type('Name', 'Ann')
    type('Password', 'short')
    expect(getByRole<HTMLButtonElement>(root, 'button', { name: 'Become the owner' }).disabled).toBe(true)
    type('Password', 'four words are enough')
    await press('Become the owner')
    expect(calls).toContain('POST /v1/setup {"secret":"s3cret","name":"Ann","password":"four words are enough"}')
    expect(loggedIn.value).toBe(true)
  })
  it('says where the link is printed', async () => {
    door(true, false)
    await show(<Door />)
    expect(root.textContent).toContain('journalctl -u layerd')
  })
  it('takes a name and a password, and counts down when there were too many', async () => {
    door(false, true)
    answers['POST /v1/login'] = no(401, 'wrong_password')
    await show(<Door />)
    expect(getByLabelText(root, 'Name').getAttribute('autocomplete')).toBe('username')
    expect(getByLabelText(root, 'Password').getAttribute('autocomplete')).toBe('current-password')
    type('Name', 'Ann')
    type('Password', 'guess')
    const form = getByLabelText(root, 'Name').closest('form') ?? root
    await press('Log in', form)
    expect(form.textContent).toContain('do not belong together')
    answers['POST /v1/login'] = no(429, 'too_many_tries', 'No.', { 'Retry-After': '65' })
    await press('Log in', form)
    expect(getByRole<HTMLButtonElement>(form, 'button', { name: /^Wait 1:0\d min/ }).disabled).toBe(true)
    expect(loggedIn.value).not.toBe(true)
  })
  it('without accounts asks for a key first', async () => {
    door(false, false)
    await show(<Door />)
    getByRole(root, 'heading', { name: 'A key is needed' })
    expect(queryByRole(root, 'textbox', { name: 'Name' })).toBeNull()
  })
  it('tells whom the tailnet knows that nobody has let him in', async () => {
    door(false, true)
    turnedAway.value = { code: 'not_invited', message: 'The tailnet says that you are eve@example.com.', next: 'An owner has to let you in.', warnings: [], problems: [] }
    await show(<Door />)
    expect(getByRole(root, 'status').textContent).toBe('The tailnet says that you are eve@example.com. An owner has to let you in.')
    getByLabelText(root, 'Password')
  })
})

describe('proving again who one is', () => {
  function Shell() {
    const Over = over.value
    return Over && <Over />
  }
  beforeEach(() => {
    act(() => render(<Shell />, root))
    received(exampleState())
    answers['GET /v1/sessions'] = json({ sessions: [{ id: '1', name: 'Ann', role: 'owner', via: 'password', agent: '', from: '', created_ms: 1, used_ms: 1, expires_ms: 1, current: true }] })
  })
  it('asks once, and does it again', async () => {
    answers['POST /v1/confirm'] = () => new Response(null, { status: 204 })
    let tries = 0
    const done = confirmed(() => (++tries === 1 ? Promise.reject(refusedWith(403, 'confirm')) : Promise.resolve('done')))
    const field = await waitFor(() => getByLabelText(document.body, 'Your password'))
    act(() => void fireEvent.input(field, { target: { value: 'four words' } }))
    await press('Go on')
    expect(await done).toBe('done')
    expect(calls).toContain('POST /v1/confirm {"password":"four words"}')
    expect([tries, queryByRole(document.body, 'dialog')]).toEqual([2, null])
  })
  it('gives up quietly, also for a command', async () => {
    const error = { code: 'confirm', message: '', next: '', warnings: [], problems: [] }
    const done = confirmed(() => Promise.resolve({ error }))
    await waitFor(() => getByLabelText(document.body, 'Your password'))
    await press('Cancel')
    expect(await done).toBeNull()
  })
  it('gives up when the page goes back to the door', async () => {
    const done = confirmed(() => Promise.reject(refusedWith(403, 'confirm')))
    await waitFor(() => getByLabelText(document.body, 'Your password'))
    act(() => render(null, root))
    expect([await done, over.value]).toEqual([null, null])
  })
  it('passes every other no on', async () => {
    await expect(confirmed(() => Promise.reject(refusedWith(409, 'last_owner')))).rejects.toThrow('No.')
  })
})

describe('people', () => {
  it('are removed only after a question that names them, and a no is shown', async () => {
    received(exampleState())
    linkStatus.value = 'up'
    answers['GET /v1/people'] = json({ people: [{ id: '7', name: 'Ann', role: 'owner', tailnet: false, created_ms: 1, used_ms: 0 }], configured: [{ login: 'bob@example.com', role: 'operator' }], default_role: 'nobody' })
    answers['DELETE /v1/people/7'] = no(409, 'last_owner', 'Ann is the last owner.')
    await show(<PeoplePage />)
    expect(root.textContent).toContain('bob@example.com')
    await press(/^Ann/)
    await press('Remove Ann')
    expect(calls.some((c) => c.startsWith('DELETE'))).toBe(false)
    getByRole(root, 'alertdialog', { name: 'Remove Ann?' })
    await press('Remove Ann')
    expect(getByRole(root, 'dialog').textContent).toContain('Ann is the last owner.')
  })
  it('are not shown to an operator', async () => {
    received(exampleState({ me: { id: 'o', name: 'o', role: 'operator', via: 'session' } }))
    await show(<PeoplePage />)
    expect([root.textContent?.includes('Only an owner'), calls]).toEqual([true, []])
  })
})
