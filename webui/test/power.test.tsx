// The power's card and the form of a switch, without a browser.
import { fireEvent, screen } from '@testing-library/dom'
import { render } from 'preact'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PowerCard, waitText } from '../src/parts/power'
import { onText, type PowerState } from '../src/power'
import * as store from '../src/state'
import { switchedOff } from '../src/words'
import { exampleState } from './examples'

const power = (change: Partial<PowerState> = {}): PowerState => ({ on: 'on', told: false, problem: '', after: '', off_ms: 0, why: '', after_print: false, cool_c: 50, ...change })

beforeEach(() => {
  store.linkStatus.value = 'up'
  document.body.innerHTML = '<main id="here"></main>'
})
afterEach(() => {
  render(null, document.getElementById('here')!)
  vi.restoreAllMocks()
})

const show = (change: Partial<PowerState>, state: Parameters<typeof exampleState>[0] = {}, apart = false) => {
  const s = exampleState({ state: 'idle', job: null, power: power(change), ...state })
  store.state.value = s
  render(<PowerCard s={s} apart={apart} />, document.getElementById('here')!)
}
const buttons = () => screen.queryAllByRole('button').map((b) => b.textContent?.trim())

describe('the card', () => {
  it.each([
    ['on', {}, {}, ['Switch off']],
    ['off, while the board is there', { on: 'off' }, {}, ['Switch on']],
    ['unknown', { on: 'unknown' }, {}, ['Switch on', 'Switch off']],
    ['a print', {}, { state: 'printing' }, ['Off after this print']],
    ['a print, and off after it', { after: 'print' }, { state: 'printing' }, ['Keep on']],
    ['a pause', {}, { state: 'paused' }, ['Off after this print']],
    ['cooling', { after: 'cooling' }, {}, ['Keep on', 'Switch off']],
  ] as const)('%s', (_, change, state, want) => {
    show(change, state)
    expect(buttons()).toEqual(want)
  })

  it('says what is unknown, and why', () => {
    show({ on: 'unknown', problem: 'the plug does not answer' })
    expect(document.body.textContent).toContain('Not known')
    expect(document.body.textContent).toContain('the plug does not answer')
  })

  it('counts down', () => {
    show({ after: 'counting', off_ms: store.link.clock.now() + 42_000 })
    expect(screen.getByRole('timer').textContent).toMatch(/^Power off in 4[12] s$/)
  })

  it('says what kept it on, until the next print', () => {
    show({ why: 'somebody uses the printer' })
    expect(document.body.textContent).toContain('It stays on: somebody uses the printer.')
  })

  it('shows a viewer no button', () => {
    show({}, { me: { id: 'v', name: 'v', role: 'viewer', via: 'session' } })
    expect(buttons()).toEqual([])
  })

  it.each([
    [{ nozzles: [{ actual_c: 25, target_c: 0 }], bed: { actual_c: 30, target_c: 0 } }, 'Nothing is hot.'],
    [{ nozzles: [{ actual_c: 25, target_c: 0 }], bed: { actual_c: 90, target_c: 0 } }, 'The nozzle is cool, the bed or the chamber is not yet.'],
    [{ nozzles: [], bed: null, state: 'disconnected' }, 'Whether something is hot is not known.'],
  ] as const)('asks before off, and says what is known of heat: %o', async (state, want) => {
    HTMLDialogElement.prototype.showModal = vi.fn()
    HTMLDialogElement.prototype.close = vi.fn()
    show({}, { chamber: null, ...state, nozzles: [...state.nozzles] })
    fireEvent.click(screen.getByText('Switch off'))
    await vi.waitFor(() => expect(document.body.textContent).toContain(want))
  })

  it('asks before off; what is hot goes off once it is cool, or when somebody insists', async () => {
    HTMLDialogElement.prototype.showModal = vi.fn()
    HTMLDialogElement.prototype.close = vi.fn()
    const sent = vi.spyOn(store.link, 'do').mockImplementation(() => new Promise(() => undefined))
    show({}, { nozzles: [{ actual_c: 180, target_c: 0 }] })
    fireEvent.click(screen.getByText('Switch off'))
    await vi.waitFor(() => {
      expect(document.body.textContent).toContain('its fan would stop')
      expect(screen.getByText('Switch off hot')).toBeTruthy()
      expect(screen.getByText('Off after cool-down')).toBeTruthy()
    })
    expect(sent).not.toHaveBeenCalled()
    fireEvent.click(screen.getByText('Off after cool-down'))
    expect(sent.mock.calls[0]?.[0]).toMatchObject({ do: 'power_after', on: true })
  })
})

describe('words', () => {
  it.each([[{ on: 'on', told: false }, 'On'], [{ on: 'off', told: true }, 'Off'], [{ on: 'unknown', told: false }, 'Not known'], [{ on: 'unknown', told: true }, 'Not known: the printer does not tell']] as const)('%o', (p, want) => {
    expect(onText(p)).toBe(want)
  })

  it('says what is waited for', () => {
    expect(waitText({ after: '', cool_c: 50 }, { nozzles: [] })).toBe('')
    expect(waitText({ after: 'print', cool_c: 50 }, { nozzles: [] })).toContain('after this print')
    expect(waitText({ after: 'cooling', cool_c: 45 }, { nozzles: [{ actual_c: 20, target_c: 0 }, { actual_c: 120.4, target_c: 0 }] })).toMatch(/below 45.°C: now 120.°C/)
  })

  it('a printer that is not there is switched off only when its switch says so', () => {
    expect(switchedOff({ power: power({ on: 'off' }), state: 'disconnected' })).toBe(true)
    expect(switchedOff({ power: power({ on: 'unknown' }), state: 'disconnected' })).toBe(false)
    expect(switchedOff({ power: power({ on: 'off' }), state: 'idle' })).toBe(false)
    expect(switchedOff({ power: null, state: 'disconnected' })).toBe(false)
  })
})
