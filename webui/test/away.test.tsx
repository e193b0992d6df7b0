// Away from home: what is said of the network's state, what is sent, and the other printers.
import { fireEvent, getByLabelText, getByRole, getByTestId, getByText, queryByLabelText, queryByRole, queryByText } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { expiry, isThere, overlay, seekPrinters, tagsOf, type Neighbour, type Overlay, type OverlaySettings, type Status } from '../src/overlay'
import { Header } from '../src/parts/header'
import { headline } from '../src/parts/awaystatus'
import { AwayPage } from '../src/screens/away'
import { PrintScreen } from '../src/screens/print'
import { PrintersPage } from '../src/screens/printers'
import { asks, link, linkStatus, notices, printers, received, state } from '../src/state'
import type { Answer, Doing, State } from '../src/wire'
import { exampleState } from './examples'

const status = (change: Partial<Status> = {}): Status => ({
  kind: 'tailnet', state: 'running', name: 'layerd.tail1234.ts.net', urls: ['https://layerd.tail1234.ts.net/'], addresses: ['100.64.0.7'], network: 'example.com', login_url: '', expires_ms: 0,
  problem: '', next: '', health: [], paths: [], ...change,
})
const settings = (change: Partial<OverlaySettings> = {}): OverlaySettings => ({
  kind: 'tailnet', tailnet: { name: '', control_url: '', tags: [], vendor_logs: false, default_role: '' }, zerotier: { network: '' }, ...change,
})
const off: Overlay = { settings: settings({ kind: 'none' }), status: status({ kind: 'none', state: 'off', name: '', urls: [], addresses: [], network: '' }), login_qr: '', url_qr: '', has_key: false }
const on = (change: Partial<Status> = {}, more: Partial<Overlay> = {}): Overlay => ({ ...off, settings: settings(), status: status(change), url_qr: 'data:image/png;base64,AA==', ...more })
const mk4: Neighbour = { name: 'mk4', url: 'https://mk4.tail1234.ts.net/', online: true, state: 'printing', job: 'benchy.gcode', percent: 37.5, left_s: 2994, picture: true, checked_ms: 1 }

let root: HTMLElement
let told: Doing[]
let reply: Partial<Answer>
let answers: Overlay
let neighbours: Neighbour[]
let asked: string[]

beforeEach(() => {
  root = document.createElement('div')
  document.body.append(root)
  told = []
  asked = []
  reply = {}
  answers = off
  neighbours = [mk4]
  vi.spyOn(link, 'do').mockImplementation((doing) => {
    told.push(doing)
    return Promise.resolve({ type: 'answer', id: 'x', rev: 0, job: '', error: null, ...reply })
  })
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path)
    return Promise.resolve(new Response(JSON.stringify(path === '/v1/overlay' ? answers : { neighbours })))
  })
})

afterEach(() => {
  act(() => {
    render(null, root)
    state.value = null
    overlay.value = null
    printers.value = false
    notices.value = []
    asks.value = new Map()
    linkStatus.value = 'connecting'
  })
  root.remove()
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

async function show(what: preact.ComponentChild, change: Partial<State> = {}): Promise<void> {
  await act(async () => {
    received(exampleState(change))
    linkStatus.value = 'up'
    render(what, root)
    await Promise.resolve()
  })
}
const settle = () => act(async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve()
})
async function away(now: Overlay, change: Partial<State> = {}): Promise<void> {
  answers = now
  await show(<AwayPage />, change)
  await settle()
}
const button = (name: string | RegExp) => getByRole<HTMLButtonElement>(root, 'button', { name })
async function press(name: string | RegExp): Promise<void> {
  act(() => button(name).click())
  await settle()
}
const type = (label: string | RegExp, value: string) => act(() => void fireEvent.input(getByLabelText(root, label), { target: { value } }))
const choose = (name: RegExp) => act(() => getByRole(root, 'radio', { name }).click())
const big = () => getByTestId(root, 'away-state').textContent

describe('the settings', () => {
  it('are off at first; turning on asks for a key or none, which is sent once and is not kept', async () => {
    await away(off)
    expect(queryByRole(root, 'button', { name: /Turn/ })).toBeNull()
    expect(queryByRole(root, 'button', { name: /Leave/ })).toBeNull()
    choose(/^Tailnet/)
    type("This printer's name there", ' Voron ')
    type('Tags', 'printer, tag:lab')
    type('Auth key', ' tskey-auth-1 ')
    expect(getByLabelText<HTMLInputElement>(root, 'Auth key').type).toBe('password')
    await press('Turn on')
    expect(told).toEqual([{ do: 'set_overlay', secret: 'tskey-auth-1', overlay: settings({ tailnet: { name: 'Voron', control_url: '', tags: ['tag:printer', 'tag:lab'], vendor_logs: false, default_role: '' } }) }])
    expect(getByLabelText<HTMLInputElement>(root, 'Auth key').value).toBe('')
    expect(notices.value).toEqual([])
  })

  it('say what layerd has against them, and are kept as they were typed', async () => {
    await away(off)
    choose(/^Tailnet/)
    type('Control server', 'ftp://x')
    reply = { error: { code: 'bad_settings', message: 'The control server is an address.', next: 'Correct it.', warnings: [], problems: [] } }
    await press('Turn on')
    expect(getByText(root, 'The control server is an address. Correct it.')).toBeTruthy()
    expect(getByLabelText<HTMLInputElement>(root, 'Control server').value).toBe('ftp://x')
    expect(notices.value).toEqual([])
  })

  it('of ZeroTier need all 16 characters', async () => {
    await away(off)
    choose(/^ZeroTier/)
    type('Network ID', '8056c2e21c00000')
    expect(button('Turn on').disabled).toBe(true)
    type('Network ID', '8056C2E21C000001')
    await press('Turn on')
    expect(told).toMatchObject([{ do: 'set_overlay', overlay: { kind: 'zerotier', zerotier: { network: '8056C2E21C000001' } } }])
    expect(told[0]).not.toHaveProperty('secret')
  })

  it('from the configuration are shown and locked, each', async () => {
    const keys = ['overlay', 'tailnet.name', 'tailnet.control_url', 'tailnet.tags', 'tailnet.vendor_logs', 'tailnet.default_role']
    await away(on(), { locked: Object.fromEntries(keys.map((key) => [key, 'file'])) })
    for (const field of ["This printer's name there", 'Control server', 'Tags', /whom nobody has named/, 'Send technical logs to Tailscale']) expect(getByLabelText<HTMLInputElement>(root, field).disabled).toBe(true)
    expect(getByRole<HTMLFieldSetElement>(root, 'group', { name: /How the printer is reached/ }).disabled).toBe(true)
    expect(root.querySelectorAll('.locked')).toHaveLength(keys.length)
  })

  it('are for owners', async () => {
    await away(on(), { me: { id: 'o', name: 'o', role: 'operator', via: 'session' } })
    expect(root.textContent).toBe('Only an owner sees and changes this.')
    expect(asked).toEqual([])
  })
})

describe('the state', () => {
  it.each<[Partial<Status>, string]>([
    [{ state: 'starting' }, 'Connecting…'],
    [{ state: 'login', login_url: 'https://login.example/1' }, 'Open this link on any device and log in'],
    [{ state: 'login' }, 'Waiting for the login link…'],
    [{ state: 'approval' }, 'Waiting for approval'],
    [{ state: 'approval', kind: 'zerotier' }, 'Waiting for authorisation'],
    [{}, 'Joined as layerd'],
    [{ kind: 'zerotier', network: 'workshop', name: 'a1b2c3d4e5' }, 'Joined workshop'],
    [{ state: 'failed' }, 'Cannot be reached from elsewhere'],
  ])('%j is «%s»', (change, words) => {
    expect(headline(status(change)).text).toBe(words)
  })

  it('is read again when layerd says that it changed: the link becomes the address', async () => {
    await away(on({ state: 'login', login_url: 'https://login.example/1', urls: [], name: '' }, { login_qr: 'data:image/png;base64,BB==' }), { overlay_rev: 1 })
    expect(getByRole(root, 'link', { name: 'Open the link' }).getAttribute('href')).toBe('https://login.example/1')
    expect(getByRole(root, 'img', { name: 'QR code of the login link' }).getAttribute('src')).toBe('data:image/png;base64,BB==')
    answers = on()
    await act(async () => received(exampleState({ rev: 11, overlay_rev: 2 })))
    await settle()
    expect(big()).toBe('Joined as layerd')
    expect(getByTestId(root, 'address').textContent).toBe('https://layerd.tail1234.ts.net/')
    expect(queryByRole(root, 'img')).toBeNull()
    await press('QR code')
    expect(getByRole(root, 'img', { name: /this printer's address/ })).toBeTruthy()
    expect(root.textContent).toContain('a certificate that every browser trusts')
  })

  it('makes no link of what is none of the web', async () => {
    await away(on({ state: 'login', login_url: 'javascript:alert(1)' }))
    expect(queryByRole(root, 'link', { name: 'Open the link' })).toBeNull()
    expect(getByTestId(root, 'address').textContent).toBe('javascript:alert(1)')
  })

  it('warns before the login ends, and logs in again by link or with a key', async () => {
    await away(on({ expires_ms: Date.now() + 5.5 * 86_400_000, problem: 'The login of this machine ends soon.', next: 'Log in again.' }))
    expect(getByTestId(root, 'expiry').textContent).toMatch(/^The login ends in 5 days, on \d+ \w+ \d{4}\./)
    await press('Log in again')
    expect(told).toEqual([{ do: 'overlay_login' }])
    await press('I have an auth key instead')
    type('Auth key', 'tskey-2')
    reply = { error: { code: 'x', message: 'It is no key.', next: '', warnings: [], problems: [] } }
    await press('Log in with the key')
    expect(told[1]).toEqual({ do: 'overlay_login', secret: 'tskey-2' })
    expect(getByText(root, 'It is no key.')).toBeTruthy()
    expect(getByLabelText<HTMLInputElement>(root, 'Auth key').value).toBe('')
  })

  it('of ZeroTier says whom to authorise, where', async () => {
    await away({ ...on({ kind: 'zerotier', state: 'approval', name: 'a1b2c3d4e5', urls: [] }), settings: settings({ kind: 'zerotier', zerotier: { network: '8056c2e21c000001' } }) })
    expect(getByTestId(root, 'member').textContent).toBe('a1b2c3d4e5')
    expect(root.querySelector('.away-steps')?.textContent).toContain('8056c2e21c000001')
    expect(queryByLabelText(root, 'Auth key')).toBeNull()
  })

  it('shows paths, warnings and what to do', async () => {
    await away(on({ state: 'failed', problem: 'The control server does not answer.', next: 'Check the network.', health: ['not in map poll'], paths: [{ peer: 'phone', direct: true, relay: '' }, { peer: 'laptop', direct: false, relay: 'fra' }] }))
    for (const text of ['The control server does not answer.', 'Check the network.', 'not in map poll', 'direct', 'relayed by fra']) expect(root.textContent).toContain(text)
  })

  it('is left after a question, and stays off', async () => {
    await away(on())
    await press('Leave the network')
    expect(told).toEqual([])
    act(() => getByRole<HTMLButtonElement>(getByRole(root, 'alertdialog'), 'button', { name: 'Leave' }).click())
    await settle()
    expect(told).toEqual([{ do: 'overlay_leave' }])
  })

  it('is not cut off under the feet of who came that way without a question', async () => {
    await away(on(), { me: { id: 'a', name: 'alice', role: 'owner', via: 'tailnet' } })
    choose(/^Off/)
    await press('Turn off')
    expect(told).toEqual([])
    expect(getByText(root, /The page stops working at once/)).toBeTruthy()
    act(() => getByRole<HTMLButtonElement>(getByRole(root, 'alertdialog'), 'button', { name: 'Turn off' }).click())
    await settle()
    expect(told).toMatchObject([{ do: 'set_overlay', overlay: { kind: 'none' } }])
  })
})

describe('a warning', () => {
  const overlayState = { kind: 'tailnet', state: 'running', url: '', expires_ms: 1, problem: 'The login ends in 5 days.' }
  it('leads owners from the first screen to the page', async () => {
    await show(<PrintScreen />, { overlay: overlayState })
    expect(getByRole(root, 'link', { name: /The login ends in 5 days/ }).getAttribute('href')).toBe('#/settings/away')
  })
  it('is not for others, who cannot do anything about it', async () => {
    await show(<PrintScreen />, { overlay: overlayState, me: { id: 'o', name: 'o', role: 'operator', via: 'session' } })
    expect(queryByText(root, /The login ends/)).toBeNull()
  })
})

describe('other printers', () => {
  const running = { kind: 'tailnet', state: 'running', url: 'https://layerd.tail1234.ts.net/', expires_ms: 0, problem: '' }
  const asksOf = () => asked.filter((path) => path === '/v1/neighbours').length

  it('are listed with what they do, and asked only while they are seen', async () => {
    vi.useFakeTimers()
    neighbours = [mk4, { ...mk4, name: 'mini', online: false, state: '', job: '', percent: -1, left_s: -1, picture: false }, { ...mk4, name: 'bad', url: 'javascript:alert(1)', state: 'odd', job: '', picture: false }]
    await show(<PrintersPage />, { overlay: running })
    await settle()
    const [first, second, third] = root.querySelectorAll('.printer')
    expect(first?.getAttribute('href')).toBe(mk4.url)
    expect(first?.textContent).toBe('mk4Printingbenchy.gcode37 % · 50 min left')
    expect(second?.textContent).toBe('miniSwitched off, or not on the network')
    expect(third?.textContent).toBe('badDoes not answer')
    expect(third?.hasAttribute('href')).toBe(false)
    expect(root.textContent).toContain('this device has to be on the network too')
    expect(asksOf()).toBe(1)
    await act(async () => void await vi.advanceTimersByTimeAsync(15_000))
    expect(asksOf()).toBe(2)
    const picture = () => getByRole(root, 'img').getAttribute('src')
    const had = picture()
    await act(async () => void await vi.advanceTimersByTimeAsync(10_000))
    expect(picture()).not.toBe(had)
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden')
    await act(async () => void await vi.advanceTimersByTimeAsync(60_000))
    expect(asksOf()).toBe(2)
  })

  it('can be opened at once by who came over the network', async () => {
    await show(<PrintersPage />, { overlay: running, me: { id: 'b', name: 'bob', role: 'viewer', via: 'tailnet' } })
    await settle()
    expect(root.querySelectorAll('.printer')).toHaveLength(1)
    expect(root.textContent).not.toContain('has to be on the network')
  })

  it('are not for a viewer at home, and are not asked', async () => {
    await show(<PrintersPage />, { overlay: running, me: { id: 'v', name: 'v', role: 'viewer', via: 'session' } })
    await settle()
    expect(root.textContent).toContain('not for others')
    expect(asksOf()).toBe(0)
  })

  it("make a way of the printer's name, once there is one", async () => {
    neighbours = []
    const end = seekPrinters()
    await show(<Header />, { overlay: running })
    await settle()
    expect(asksOf()).toBe(1)
    expect(queryByRole(root, 'link')).toBeNull()
    neighbours = [mk4]
    await act(async () => received(exampleState({ overlay: { ...running, state: 'starting' } })))
    await act(async () => received(exampleState({ overlay: running })))
    await settle()
    expect(getByRole(root, 'link', { name: /Ender-3\s+Other printers/ }).getAttribute('href')).toBe('#/settings/printers')
    await act(async () => received(exampleState()))
    expect(queryByRole(root, 'link')).toBeNull()
    end()
  })
})

it('knows a page that came over the network by its address', () => {
  const url = 'https://layerd.tail1234.ts.net/'
  const cases: [string, string, string, boolean][] = [
    ['layerd.tail1234.ts.net', url, 'session', true], ['mk4.tail1234.ts.net', url, 'session', true], ['192.168.1.5', url, 'session', false], ['192.168.1.5', url, 'tailnet', true],
    ['layerd.local', url, 'session', false], ['eviltail1234.ts.net', url, 'session', false], ['10.147.17.5', 'http://10.147.17.5/', 'session', true], ['10.147.17.6', 'http://10.147.17.5/', 'session', false], ['x', '', 'session', false],
    ['layerd', 'http://layerd/', 'session', true], ['other', 'http://layerd/', 'session', false],
  ]
  for (const [host, at, via, want] of cases) expect([host, isThere(host, at, via)]).toEqual([host, want])
})

it('says when a login ends in days, and warns two weeks before', () => {
  const now = Date.UTC(2026, 11, 1, 12)
  const in_ = (days: number) => expiry(now + days * 86_400_000, now)
  expect(expiry(0, now)).toBeNull()
  expect(in_(15)).toEqual({ text: 'Logged in until 16 December 2026.', soon: false })
  expect(in_(13)).toEqual({ text: 'The login ends in 13 days, on 14 December 2026.', soon: true })
  expect(in_(1)?.text).toBe('The login ends in one day, on 2 December 2026.')
  expect(in_(0.2)?.text).toContain('today or tomorrow')
  expect(in_(-1)).toEqual({ text: 'The login ended on 30 November 2026.', soon: true })
})

it('takes tags with and without their prefix', () => {
  expect(tagsOf(' printer,tag:lab;x ')).toEqual(['tag:printer', 'tag:lab', 'tag:x'])
})
