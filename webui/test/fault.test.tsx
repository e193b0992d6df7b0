// A print whose USB connection is lost, and a pause that a fault has made: as a finger and a screen reader meet them.
import { getByRole, getByTestId, queryAllByText, queryByRole, queryByTestId } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { describe, expect, it, vi } from 'vitest'
import { App } from '../src/app'
import { SettingsScreen } from '../src/screens/settings'
import { linkStatus, loggedIn, received } from '../src/state'
import type { Fault, State } from '../src/wire'
import { exampleState, fine, job } from './examples'
import { onStage, root, told } from './stage'

const now = 1_700_000_000_000
onStage({ atMS: now })

const button = (name: string | RegExp) => getByRole<HTMLButtonElement>(root, 'button', { name })
const says = (text: string) => expect(root.textContent).toContain(text)
const saysNot = (text: string) => expect(root.textContent).not.toContain(text)
const announced = () => getByRole(root, 'status').textContent

function page(change: Partial<State>): void {
  act(() => {
    loggedIn.value = true
    received(exampleState(change))
    linkStatus.value = 'up'
    render(<App />, root)
  })
}

const later = (change: Partial<State>) => act(() => received(exampleState(change)))

const fault = (change: Partial<Fault>): Fault => ({ code: 'port_lost', message: "The printer's USB connection was lost.", next: 'Plug the cable in again.', said: '', job: 'j1', at_ms: now, ...change })

const lastJob = {
  id: 'j0', file: 'old.gcode', name: 'old.gcode', outcome: 'done', reason: '', ended_ms: now, elapsed_s: 61, line: 900, layer: 2, layers: 100, z_mm: 0.4, percent: 100,
  lines_again: 0, resend_percent: 0, starved_s: 0, starved_by: '', card: false, filament_mm: 0, tools_mm: [],
}
const lost: Partial<State> = { state: 'faulted', fault: fault({}), lost: { since_ms: now - 65_000, asking: false }, job, nozzles: [], bed: null, last_job: lastJob }

describe('a print whose USB connection is lost', () => {
  it('is shown with how far it is, for how long, and what to do, once', () => {
    page(lost)
    expect(getByTestId(root, 'state').textContent).toBe('USB connection lost')
    expect(getByTestId(root, 'job-name').textContent).toBe('benchy.gcode')
    expect(getByTestId(root, 'percent').textContent).toBe('42')
    expect(getByTestId(root, 'layer').textContent).toBe('Layer 84 of 240')
    says('The USB connection was lost 0:01:05 ago')
    says('once it goes on')
    expect(queryAllByText(root, /Plug the cable in again\./, { ignore: '[role=status]' })).toHaveLength(1)
    says('500 of 1,000')
    for (const other of ['Position', 'Asked for again', 'old.gcode', 'Reconnect', 'Dismiss', 'Stopped by a fault']) saysNot(other) // what is not known, the job before, and the ways out of other faults
    expect(queryByRole(root, 'button', { name: /Pause|Resume|Stop print/ })).toBeNull()
  })

  it('is announced once, though the time moves on', () => {
    page(lost)
    expect(announced()).toBe('Printer: USB connection lost. Plug the cable in again.')
    expect(getByRole(root, 'timer').textContent).toBe('0:01:05')
    act(() => {
      vi.advanceTimersByTime(2000)
      received(exampleState({ ...lost, now_ms: now + 2000 }))
    })
    expect(getByTestId(root, 'lost').closest('[role=alert], [aria-live]')).toBeNull()
    expect(announced()).toBe('Printer: USB connection lost. Plug the cable in again.')
  })

  it('says when the port is back', () => {
    page(lost)
    later({ ...lost, rev: 11, lost: { since_ms: now - 65_000, asking: true } })
    says('The port is back: asking the printer how far it came.')
    expect(announced()).toContain('The port is back')
    saysNot('What to do')
    expect(button('Give up the print').disabled).toBe(false)
    later({ rev: 12 })
    expect(queryByTestId(root, 'lost')).toBeNull()
    expect(button('Pause').disabled).toBe(false)
  })

  it('is given up only after a question', () => {
    page(lost)
    act(() => button('Give up the print').click())
    const sheet = () => getByRole(root, 'alertdialog', { name: 'Give up this print?' })
    expect(sheet().textContent).toContain('benchy.gcode')
    act(() => button('Keep waiting').click())
    expect(told).toEqual([])
    act(() => button('Give up the print').click())
    act(() => getByRole(sheet(), 'button', { name: 'Give up the print' }).click())
    expect(told).toEqual([{ do: 'dismiss' }])
    expect(button('Giving up…').disabled).toBe(true)
    expect(queryByRole(root, 'alertdialog')).toBeNull()
  })

  it('that goes on takes the question away', () => {
    page(lost)
    act(() => button('Give up the print').click())
    later({ rev: 11 })
    expect(queryByRole(root, 'alertdialog')).toBeNull()
  })

  it('a viewer may look', () => {
    page({ ...lost, me: { id: 'v', name: 'v', role: 'viewer', via: 'cookie' } })
    expect(queryByRole(root, 'button', { name: 'Give up the print' })).toBeNull()
  })

  it('cannot be ended from the settings by the way', () => {
    vi.stubGlobal('fetch', () => new Promise(() => {}))
    page(lost)
    act(() => render(<SettingsScreen />, root))
    expect(button('Disconnect').disabled).toBe(true)
    says('Not while a print is under way.')
  })

  it('that is over says why in one place', () => {
    const message = "The printer's board has restarted while its USB connection was lost."
    page({ state: 'faulted', job: null, fault: fault({ code: 'board_reset', message }), last_job: { ...lastJob, id: 'j1', name: 'benchy.gcode', outcome: 'interrupted', reason: message } })
    expect(queryAllByText(root, message)).toHaveLength(1)
    says('The print was interrupted at layer 2 of 100')
  })
})

describe('a pause that a fault has made', () => {
  const tooEarly = fault({ code: 'out_of_turn', message: 'A damaged line made the printer execute a later one too early.', next: 'Look at the print. Resume goes on.', said: 'G1 <b>X5</b>' })
  const noisy = { ...fine, lines_again: 40, resend_percent: 4 }
  const pause = { by: 'fault', message: tooEarly.message, filament: false, layer: 0, held: false, shift: null }

  it.each(['pausing', 'paused'] as const)('shows it once while %s, above Resume and Stop, with what goes with it', (state) => {
    page({ state, fault: tooEarly, pause, health: noisy })
    const card = getByRole(root, 'alert', { name: 'Fault' })
    expect(card.textContent).toContain(tooEarly.next)
    expect(card.textContent).toContain('What was executed too early')
    expect(card.querySelector('code')?.textContent).toBe(tooEarly.said)
    expect(queryAllByText(root, tooEarly.message)).toHaveLength(1)
    expect(queryByTestId(root, 'pause')).toBeNull()
    saysNot('The cable is noisy') // it is the same trouble, and the same advice
    expect(announced()).toBe(`Printer: ${state === 'paused' ? 'Paused' : 'Pausing…'}`) // the rest is in the alert
    for (const name of ['Reconnect', 'Dismiss']) expect(queryByRole(root, 'button', { name })).toBeNull()
    expect(card.compareDocumentPosition(button(/Stop print/)) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy()
  })

  it('Resume and Stop are there', () => {
    page({ state: 'paused', fault: tooEarly, pause })
    expect(button(/Stop print/).disabled).toBe(false)
    act(() => button('Resume').click())
    expect(told).toEqual([{ do: 'resume', job: 'j1' }])
  })

  it('is over when the print goes on', () => {
    page({ state: 'paused', fault: tooEarly, pause })
    later({ rev: 11, state: 'printing', health: noisy })
    expect(queryByRole(root, 'alert')).toBeNull()
    says('The cable is noisy')
  })

  it.each([['resend_loop', 'The printer said'], ['port_lost', 'The system said']])('%s: whose words they are', (code, who) => {
    page({ state: 'paused', fault: fault({ code, said: 'Resend: 5' }), pause })
    says(who)
  })
})
