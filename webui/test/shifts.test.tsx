// Settings of the guard: the set-up with its steps, what came of it, the fire drill, and what happens then.
import { getByLabelText, getByRole, getByTestId, queryByRole, queryByTestId } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { describe, expect, it } from 'vitest'
import type { Card, Drill, Guard } from '../src/guard'
import { PrintAlarms } from '../src/parts/printalarms'
import { ShiftsPage } from '../src/screens/shifts'
import { linkStatus, received } from '../src/state'
import type { State } from '../src/wire'
import { exampleAlarm, exampleGuard, exampleState, witness } from './examples'
import { answer, onStage, root, told } from './stage'

onStage({ fetched: (path) => path === '/v1/alarms/p%2F1' ? Promise.resolve(new Response(JSON.stringify({ alarms: [exampleAlarm({ label: 'true' }), exampleAlarm({ id: 8, pictures: false, label: 'false' })] }))) : new Promise(() => {}) })

const button = (name: string | RegExp) => getByRole<HTMLButtonElement>(root, 'button', { name })
const tap = (name: string | RegExp) => act(() => button(name).click())
const flush = () => act(async () => {
  await new Promise((resolve) => setTimeout(resolve))
})

const good = { usable: true, why: '', at_mm: -0.1, max: false, spread_mm: 0.04, hysteresis_mm: 0.05, overtravel_mm: 1.5, threshold_mm: 0.35, steps_per_mm: 80, limits_mm: null }
const card = (change: Partial<Card> = {}): Card => ({
  made_ms: 1_700_000_000_000, endstops: { x: good, y: good, made_ms: 1, machine: '' }, check_s: 4.8, camera: 0, camera_w: '', x_mm: 0.5, y_mm: 0.9, px_per_mm: 2.7, bed_moves: true, ...change,
})
const drill = (change: Partial<Drill> = {}): Drill => ({
  running: false, at_ms: 1_700_000_000_000, axis: 'x', mm: 0.8, endstops: 'X is off by 0.8 mm: 4 motor steps.', camera: 'It saw <i>0.78 mm</i> in X.', paused: true, why: '', ...change,
})
const camera = (id: number, name: string) => ({ id, device: 'simulated', name, live: true, problem: '', width: 1280, height: 720, fps: 10, since_ms: 0, dropped: 0 })

let rev = 10
const shows = (g: Partial<Guard>, change: Partial<State> = {}) => act(() => received(exampleState({ rev: ++rev, state: 'idle', job: null, cameras: [camera(0, 'Front'), camera(3, 'Side')], guard: exampleGuard(g), ...change })))

function page(g: Partial<Guard>, change: Partial<State> = {}) {
  rev = 10
  act(() => {
    linkStatus.value = 'up'
  })
  shows(g, change)
  act(() => render(<ShiftsPage />, root))
}

describe('the set-up', () => {
  it('says what will happen, begins when somebody says that the bed is empty, and shows how far it is and what came of it', async () => {
    page({})
    tap('Set up')
    const text = getByRole(root, 'dialog').textContent
    for (const words of ['All axes are homed', 'while the camera looks', 'touches the end switches', 'Front']) expect(text).toContain(words)
    expect(button('Start the set-up').disabled).toBe(true)
    act(() => getByLabelText(root, 'The bed is empty, and nothing is in the way').click())
    tap('Start the set-up')
    expect(told).toEqual([{ do: 'guard_setup', empty: true }])
    expect(button('Start the set-up').disabled).toBe(true)
    answer({ rev: 11 })
    await flush()
    shows({ setup: { step: 'home', percent: 3, why: '' } })
    expect(root.querySelector('[aria-current=step]')?.textContent).toBe('Homing all axes')
    shows({ setup: { step: 'pictures', percent: 42, why: '' } })
    expect(root.querySelector('[aria-current=step]')?.textContent).toContain('taking pictures')
    expect(root.querySelectorAll('.setup-steps .done')).toHaveLength(1)
    expect(getByRole<HTMLProgressElement>(root, 'progressbar', { name: 'Set-up' }).value).toBe(42)
    shows({ setup: { step: 'done', percent: 100, why: '' }, card: card() })
    expect(getByRole(root, 'dialog').textContent).toContain('X ≥ 0.5 mm, Y ≥ 0.9 mm within 2 layers')
    tap('Go on')
    expect(queryByRole(root, 'dialog')).toBeNull()
    expect(button('Set up again')).toBeTruthy()
  })

  it('can be stopped, says why it failed, and can be tried again', async () => {
    page({ setup: { step: 'switches', percent: 80, why: '' } })
    tap('Show the set-up')
    tap('Stop the set-up')
    expect(told).toEqual([{ do: 'guard_cancel' }])
    answer({ rev: 11 })
    await flush()
    shows({ setup: { step: 'failed', percent: 80, why: 'Somebody has <b>stopped</b> it.' } })
    expect(getByRole(root, 'alert').textContent).toBe('Somebody has <b>stopped</b> it.')
    tap('Try again')
    expect(button('Start the set-up')).toBeTruthy()
  })

  it('an earlier failure is told on the page, and does not stand in the way', () => {
    page({ setup: { step: 'failed', percent: 10, why: 'The camera is off.' } })
    expect(root.textContent).toContain('The last set-up did not finish: The camera is off.')
    tap('Set up')
    expect(button('Start the set-up')).toBeTruthy()
  })

  it('waits for the end of a print, and does without a camera', () => {
    page({}, { state: 'printing', cameras: [] })
    tap('Set up')
    const text = getByRole(root, 'dialog').textContent
    expect(text).toContain('the end switches watch alone')
    expect(text).not.toContain('while the camera looks')
    act(() => getByLabelText(root, 'The bed is empty, and nothing is in the way').click())
    expect(button('Start the set-up').disabled).toBe(true)
    expect(text).toContain('Not while the printer is printing.')
  })
})

describe('what can be noticed', () => {
  it('each with its figures', () => {
    page({ card: card() })
    expect(getByTestId(root, 'result-card').textContent).toBe('Camera: detects X ≥ 0.5 mm, Y ≥ 0.9 mm within 2 layersEnd switches: find 0.35 mm or more, exact to ± 0.12 mm; a check takes 5 s')
  })

  it('and why not, where it cannot', () => {
    page({ card: card({ x_mm: 0, y_mm: 0, camera: -1, camera_w: 'Nothing moves with the head.', endstops: { x: { ...good, usable: false, why: 'X never closed.' }, y: { ...good, usable: false, why: '' }, made_ms: 1, machine: '' } }), notice: 'The camera was changed.' })
    const text = getByTestId(root, 'result-card').textContent
    for (const words of ['Camera: cannot be used', 'Nothing moves with the head.', 'End switches: cannot be used', 'X: X never closed.', 'Y: it cannot be checked']) expect(text).toContain(words)
    expect(root.textContent).toContain('The camera was changed.')
    shows({ card: card({ y_mm: 0, endstops: { x: good, y: { ...good, usable: false, why: 'Y is stuck.' }, made_ms: 1, machine: '' } }) })
    expect(getByTestId(root, 'result-card').textContent).toContain('It cannot tell a slip of Y.')
    expect(getByTestId(root, 'result-card').textContent).toContain('find X 0.35 mm or more')
  })
})

describe('the fire drill', () => {
  it('is asked once, and says what each witness saw', async () => {
    page({ card: card() })
    expect(queryByTestId(root, 'drill-result')).toBeNull()
    tap('Make a fire drill')
    expect(told).toEqual([])
    tap(/Y/)
    tap('The bed is empty, begin')
    expect(told).toEqual([{ do: 'guard_drill', axes: 'y' }])
    answer({ rev: 11 })
    await flush()
    shows({ card: card(), drill: drill({ running: true }) })
    tap('Stop the drill')
    expect(told[1]).toEqual({ do: 'guard_cancel' })
    shows({ card: card(), drill: drill() })
    const text = getByTestId(root, 'drill-result').textContent
    for (const words of ['and the print paused', 'X by 0.8 mm', 'X is off by 0.8 mm: 4 motor steps.', '<i>0.78 mm</i>']) expect(text).toContain(words)
    shows({ card: card(), drill: drill({ paused: false, camera: '' }) })
    expect(getByTestId(root, 'drill-result').textContent).toContain('It would not have paused the print.')
    expect(getByTestId(root, 'drill-result').textContent).toContain('was not asked')
    shows({ card: card(), drill: drill({ why: 'It is not homed.' }) })
    expect(getByTestId(root, 'drill-result').textContent).toContain('could not be made: It is not homed.')
  })
})

describe('what happens then', () => {
  const settings = exampleGuard().settings

  it('is one tap, shown as it will be until it is', async () => {
    page({ card: card() })
    tap('Tell me')
    expect(told).toEqual([{ do: 'set_guard', guard: { ...settings, mode: 'tell' } }])
    expect(button('Tell me').getAttribute('aria-pressed')).toBe('true')
    expect(button('Off').disabled).toBe(true)
    answer({ error: { code: 'forbidden', message: 'No.', next: '', warnings: [], problems: [] } })
    await flush()
    expect(button('Pause').getAttribute('aria-pressed')).toBe('true')
    act(() => getByLabelText(root, 'Record what was looked at').click())
    expect(told[1]).toEqual({ do: 'set_guard', guard: { ...settings, record: true } })
    expect(root.textContent).toContain('at most 500 MB, the oldest go first')
  })

  it('another camera needs another set-up', () => {
    page({ card: card() })
    act(() => {
      const choice = getByLabelText<HTMLSelectElement>(root, 'Camera that watches')
      choice.value = '3'
      choice.dispatchEvent(new Event('change', { bubbles: true }))
    })
    expect(told).toEqual([{ do: 'set_guard', guard: { ...settings, camera: 3 } }])
    expect(root.textContent).toContain('The set-up was made with another camera.')
  })

  it('before a set-up nothing is watched, whatever is chosen; and only owners choose', () => {
    page({ camera: witness() }, { me: { id: 'o', name: 'o', role: 'operator', via: 'session' } })
    expect(root.textContent).toContain('Nothing is watched before the set-up is made.')
    for (const name of ['Off', 'Tell me', 'Pause', 'Set up']) expect(button(name).disabled).toBe(true)
  })
})

it('the history keeps the evidence', async () => {
  act(() => render(<PrintAlarms id="p/1" nowMs={1_700_000_100_000} />, root))
  await flush()
  const found = [...root.querySelectorAll('[data-testid=past-alarm]')]
  expect(found.map((one) => [one.textContent?.includes('re-homed'), one.textContent?.includes('false alarm'), one.querySelectorAll('img').length])).toEqual([[true, false, 2], [false, true, 0]])
  expect(getByTestId(root, 'blink-says').textContent).toBe('Then')
})
