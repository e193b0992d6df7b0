// The controls that matter, as a finger, a keyboard and a screen reader meet them.
import { fireEvent, getByRole, getByTestId, queryByRole } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { App } from '../src/app'
import { HoldButton } from '../src/parts/hold'
import { go } from '../src/route'
import { linkStatus, loggedIn, received } from '../src/state'
import type { State } from '../src/wire'
import { exampleState, fine } from './examples'
import { answer, onStage, root, told } from './stage'

onStage({ atMS: 1_700_000_000_000 })

const button = (name: string | RegExp) => getByRole(root, 'button', { name })
const shows = (text: string) => expect(root.textContent).toContain(text)

/** The whole page in some state, with the link up. */
function page(change: Partial<State> = {}): void {
  act(() => {
    loggedIn.value = true
    received(exampleState(change))
    linkStatus.value = 'up'
    render(<App />, root)
  })
}

const later = (change: Partial<State>) => act(() => received(exampleState(change)))
const pass = (ms: number) => act(() => {
  vi.advanceTimersByTime(ms)
})
const flush = () => act(async () => {
  await vi.advanceTimersByTimeAsync(0)
})

describe('hold to stop', () => {
  let held: number
  let tapped: number
  beforeEach(() => {
    held = 0
    tapped = 0
    act(() => render(<HoldButton label="Stop" onHeld={() => held++} onTap={() => tapped++}>Stop</HoldButton>, root))
  })
  const counts = () => ({ held, tapped })

  it('acts after a second', () => {
    fireEvent.pointerDown(button('Stop'), { button: 0 })
    pass(999)
    expect(counts()).toEqual({ held: 0, tapped: 0 })
    pass(1)
    expect(counts()).toEqual({ held: 1, tapped: 0 })
    fireEvent.pointerUp(button('Stop'))
    fireEvent.click(button('Stop'), { detail: 1 })
    expect(counts()).toEqual({ held: 1, tapped: 0 })
  })

  it('a short tap only asks', () => {
    fireEvent.pointerDown(button('Stop'), { button: 0 })
    pass(300)
    fireEvent.pointerUp(button('Stop'))
    fireEvent.click(button('Stop'), { detail: 1 })
    pass(5000)
    expect(counts()).toEqual({ held: 0, tapped: 1 })
  })

  it('a finger that slides away does nothing', () => {
    fireEvent.pointerDown(button('Stop'), { button: 0 })
    fireEvent.pointerLeave(button('Stop'))
    pass(5000)
    expect(counts()).toEqual({ held: 0, tapped: 0 })
  })

  it.each(['Enter', ' '])('works with the key "%s", which repeats', (key) => {
    fireEvent.keyDown(button('Stop'), { key })
    pass(500)
    fireEvent.keyDown(button('Stop'), { key, repeat: true })
    pass(500)
    fireEvent.keyUp(button('Stop'), { key })
    expect(counts()).toEqual({ held: 1, tapped: 0 })
  })

  it('a short key press asks', () => {
    fireEvent.keyDown(button('Stop'), { key: 'Enter' })
    fireEvent.keyUp(button('Stop'), { key: 'Enter' })
    expect(counts()).toEqual({ held: 0, tapped: 1 })
  })

  it('the click of a screen reader asks', () => {
    fireEvent.click(button('Stop'), { detail: 0 })
    expect(counts()).toEqual({ held: 0, tapped: 1 })
  })

  it('disabled in mid-hold it lets go', () => {
    fireEvent.pointerDown(button('Stop'), { button: 0 })
    act(() => render(<HoldButton label="Stop" disabled onHeld={() => held++} onTap={() => tapped++}>Stop</HoldButton>, root))
    pass(5000)
    expect(counts()).toEqual({ held: 0, tapped: 0 })
  })
})

describe('the Print screen', () => {
  beforeEach(() => act(() => go('print')))

  it('shows how far the print is', () => {
    page()
    expect(getByTestId(root, 'state').textContent).toBe('Printing')
    expect(getByTestId(root, 'percent').textContent).toBe('42')
    expect(getByTestId(root, 'layer').textContent).toBe('Layer 84 of 240')
    expect(getByTestId(root, 'time-left').textContent).toBe('1 h 12 min')
  })

  it('a pause is pending until the State says more', async () => {
    page({ rev: 10 })
    act(() => button('Pause').click())
    expect(told).toEqual([{ do: 'pause', job: 'j1' }])
    expect(getByTestId(root, 'state').textContent).toBe('Pausing…')
    expect(queryByRole(root, 'button', { name: 'Pause' })).toBeNull()

    answer({ rev: 12 })
    await flush()
    later({ rev: 11 }) // an older State than the answer: still pending
    expect(getByTestId(root, 'state').textContent).toBe('Pausing…')
    later({ rev: 12, state: 'pausing' })
    expect(getByTestId(root, 'state').textContent).toBe('Pausing…')
    shows('The head is still moving')
    later({ rev: 13, state: 'paused' })
    expect(getByTestId(root, 'state').textContent).toBe('Paused')
    expect(button('Resume').hasAttribute('disabled')).toBe(false)
  })

  it('a refused pause shows why, and the button again', async () => {
    page()
    act(() => button('Pause').click())
    answer({ error: { code: 'wrong_state', message: 'The printer is finishing.', next: 'Wait a moment.', warnings: [], problems: [] } })
    await flush()
    shows('The printer is finishing.')
    shows('Wait a moment.')
    expect(button('Pause').hasAttribute('disabled')).toBe(false)
  })

  it('a short tap on Stop asks, and its answer stops this very job', () => {
    page()
    act(() => void fireEvent.click(button(/^Stop print/), { detail: 0 }))
    expect(told).toEqual([])
    act(() => button('Stop print').click())
    expect(told).toEqual([{ do: 'cancel', job: 'j1' }])
    expect(getByTestId(root, 'state').textContent).toBe('Stopping…')
  })

  it('a fault is told with the words of the firmware and a way on', () => {
    const fault = { code: 'firmware', message: 'The printer lost control of a heater.', next: 'Switch it off.', said: '<b>Error:Thermal Runaway</b>', job: 'j1', at_ms: 1 }
    page({ state: 'faulted', job: null, fault })
    const card = getByRole(root, 'alert', { name: 'Fault' })
    expect(card.textContent).toContain(fault.message)
    expect(card.textContent).toContain(fault.next)
    expect(card.querySelector('code')?.textContent).toBe(fault.said) // as text: no element was made of it
    act(() => button('Dismiss').click())
    expect(told).toEqual([{ do: 'dismiss' }])
    expect(queryByRole(root, 'button', { name: 'Pause' })).toBeNull()
  })

  it('only an owner is offered to reconnect', () => {
    page({ state: 'faulted', job: null, fault: { code: 'silent', message: 'Silent.', next: '', said: '', job: '', at_ms: 1 }, me: { id: 'a', name: 'a', role: 'operator', via: 'cookie' } })
    expect(queryByRole(root, 'button', { name: 'Reconnect' })).toBeNull()
    expect(button('Dismiss').hasAttribute('disabled')).toBe(false)
  })

  it('an emergency stop that nobody confirmed is an alarm', () => {
    page({ state: 'halting', job: null, halt: { asked_ms: 1, confirmed: false, unconfirmed: false, said: '' } })
    expect(root.textContent).not.toContain('The printer has stopped.')
    later({ state: 'halting', job: null, rev: 11, halt: { asked_ms: 1, confirmed: false, unconfirmed: true, said: '' } })
    shows('Not confirmed: switch the printer off')
    later({ state: 'halted', job: null, rev: 12, halt: { asked_ms: 1, confirmed: true, unconfirmed: true, said: 'halted' } })
    shows('The printer has stopped.')
    expect(root.textContent).not.toContain('Not confirmed')
  })

  it('says why a print stutters only while it does', () => {
    page()
    expect(queryByRole(root, 'region', { name: 'The print stutters' })).toBeNull()
    const health = { ...fine, starved_s: 92, starved_by: 'file', asked_lines_per_s: 903, carried_lines_per_s: 288 }
    later({ rev: 11, health })
    expect(getByRole(root, 'region', { name: 'The print stutters' }).textContent).toContain('asks for 903 lines/s, this cable carries 288')
    const last_job = { id: 'j1', file: 'a.gcode', name: 'a.gcode', outcome: 'done', reason: '', ended_ms: 1, elapsed_s: 3000, line: 1, layer: 1, layers: 1, z_mm: 1, percent: 100, filament_mm: 1, tools_mm: [1] }
    later({ rev: 12, state: 'idle', job: null, health, last_job: { ...last_job, lines_again: 0, resend_percent: 0, starved_s: 92, starved_by: 'file', card: false } })
    expect(queryByRole(root, 'region', { name: 'The print stutters' })).toBeNull()
    shows('Stuttered for 2 min (file too dense for the cable)')
  })

  it('asks which port when there are several', () => {
    const port = { path: '/dev/ttyUSB1', name: 'USB Serial', vendor: '', product: '', serial: '', usb_path: '' }
    page({ state: 'disconnected', job: null, connection: { ...exampleState().connection, port: '', ask: true, ports: [port] } })
    act(() => button(/USB Serial/).click())
    expect(told).toEqual([{ do: 'connect', port: '/dev/ttyUSB1', baud: 0 }])
  })

  it('with the link lost says so, keeps what it knew, and lets nothing be pressed but the emergency stop', () => {
    page()
    act(() => {
      linkStatus.value = 'lost'
    })
    shows('Link lost.')
    shows('42')
    expect(button('Pause').hasAttribute('disabled')).toBe(true)
    expect(button(/^Stop print/).hasAttribute('disabled')).toBe(true)
    expect(button('Emergency stop').hasAttribute('disabled')).toBe(false)
  })

  it('a viewer has no controls that work', () => {
    page({ me: { id: 'v', name: 'v', role: 'viewer', via: 'cookie' } })
    for (const name of [/^Pause/, /^Stop print/, /^Nozzle/, /^Fan/, 'Emergency stop']) expect(queryByRole(root, 'button', { name })).toBeNull()
    expect(getByRole(root, 'img', { name: /^Nozzle: 215 °C/ })).toBeTruthy()
  })

  it('unknown is shown as unknown', () => {
    page({ nozzles: [], bed: null, job: { ...exampleState().job!, left_s: -1, layer: 0 } })
    expect(button(/^Nozzle: unknown/)).toBeTruthy()
    shows('Time left unknown')
    shows('Before the first layer')
  })
})

it('the emergency stop takes two taps, and goes over HTTP too', async () => {
  const posted: string[] = []
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    if (init.method === 'POST') posted.push(`${path} ${String(init.body)}`)
    return Promise.resolve(new Response('{}'))
  })
  page()
  act(() => button('Emergency stop').click())
  expect(told).toEqual([])
  act(() => button('Stop everything now').click())
  await flush()
  expect(told).toEqual([{ do: 'emergency_stop' }])
  expect(posted).toHaveLength(1)
  expect(posted[0]).toContain('/v1/do {"do":"emergency_stop","id":"')
  vi.unstubAllGlobals()
})
