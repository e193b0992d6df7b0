// Pauses that a print makes by itself: where a height leads to, and the sheet that sets them.
import { getByLabelText, getByRole, getByTestId, queryByRole } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { describe, expect, it, vi } from 'vitest'
import { App } from '../src/app'
import { Next } from '../src/parts/next'
import { StopsChoice } from '../src/parts/stops'
import { linkStatus, loggedIn, received, state } from '../src/state'
import { placed, reaches } from '../src/stops'
import type { State, StopAt } from '../src/wire'
import { pauseText } from '../src/words'
import { exampleState, job, queued } from './examples'
import { answer, onStage, root, told } from './stage'

const heights = Array.from({ length: 240 }, (_, i) => (i + 1) * 0.2)

onStage({ fetched: (path) => path.startsWith('/v1/heights/') ? Promise.resolve(new Response(JSON.stringify({ z_mm: heights }))) : new Promise(() => {}) })

const button = (name: string | RegExp) => getByRole<HTMLButtonElement>(root, 'button', { name })
const words = () => getByTestId(root, 'stop-words').textContent
const flush = () => act(async () => {
  await new Promise((resolve) => setTimeout(resolve))
})
const type = (label: string, value: string) => act(() => {
  const field = getByLabelText<HTMLInputElement>(root, label)
  field.value = value
  field.dispatchEvent(new Event('input', { bubbles: true }))
})
const tap = (name: string | RegExp) => act(() => button(name).click())

async function page(change: Partial<State> = {}): Promise<void> {
  act(() => {
    loggedIn.value = true
    received(exampleState(change))
    linkStatus.value = 'up'
    render(<App />, root)
  })
  if (change.me?.role === 'viewer') return flush()
  await vi.waitFor(() => {
    act(() => {})
    button('Pause at…')
  }, { timeout: 20_000 })
}

async function sheet(change: Partial<State> = {}): Promise<void> {
  await page(change)
  tap('Pause at…')
  await flush()
}

const stops = [
  { layer: 50, z_mm: 10, change: false, note: '', percent: 21, passed: true },
  { layer: 120, z_mm: 24, change: true, note: '<b>red</b>', percent: 51.5, passed: false },
]

it('a height is where the print reaches it from below, as layerd counts', () => {
  const zs = [0.2, 0, 0.4, 0.6000001, 0.2, 0.4, 0.6, 0.8, 0.2]
  const cases: readonly [number, number, number][] = [[0, 0.1, 1], [0, 0.2, 1], [0, 0.3, 3], [0, 0.4, 3], [2, 0.4, 3], [3, 0.4, 6], [4, 0.5, 7], [1, 0.2, 5], [0, 0.6, 4], [0, 0.7, 8], [8, 0.7, 0], [8, 0.2, 9], [6, 9, 0], [9, 0.2, 0]]
  for (const [begun, z, want] of cases) expect([begun, z, reaches(zs, begun, z)]).toEqual([begun, z, want])
  expect(placed({ z_mm: 0.5, change: true }, zs)).toMatchObject({ layer: 4, change: true, note: '' })
})

it('says why it stands', () => {
  expect(pauseText({ by: 'stop', message: '', filament: false, layer: 12, held: false, shift: null })).toBe('Paused before layer 12, as you asked')
  expect(pauseText({ by: 'stop', message: '', filament: true, layer: 12, held: false, shift: null })).toBe('Time to change the filament: before layer 12, as you asked')
})

describe('while it prints', () => {
  it('the bar has a mark for each, and the next is said', async () => {
    await page({ job: { ...job, stops } })
    const marks = [...root.querySelectorAll<HTMLElement>('.job-bar i')]
    expect(marks.map((mark) => [mark.className, mark.style.left])).toEqual([['passed', '21%'], ['change', '51.5%']])
    expect(root.textContent).toContain('Pauses before layer 120 (24 mm), for new filament')
  })

  it('the end of this layer, a layer and a height say where the print will stand', async () => {
    await sheet()
    expect(words()).toBe('Pauses before layer 85 (17 mm), when layer 84 is done.')
    tap('Set this pause')
    expect(told).toEqual([{ do: 'set_stop', job: 'j1', stop: { this_layer: true } }])
    answer({})
    await flush()
    tap('Layer')
    tap('One layer higher')
    expect(words()).toBe('Pauses before layer 87 (17.4 mm), when layer 86 is done.')
    act(() => getByLabelText(root, 'Change the filament there').click())
    type('What to do there (shown when it stands)', ' red ')
    tap('Set this pause')
    expect(told[1]).toEqual({ do: 'set_stop', job: 'j1', stop: { layer: 87, change: true, note: 'red' } })
    answer({})
    await flush()
    tap('Height')
    expect(button('Set this pause').disabled).toBe(true)
    type('Height in mm', '20,1')
    expect(words()).toBe('Pauses before layer 101 (20.2 mm), when layer 100 is done.')
    tap('Set this pause')
    expect(told[2]).toEqual({ do: 'set_stop', job: 'j1', stop: { z_mm: 20.1 } })
    type('Height in mm', '3')
    expect(words()).toBe('No layer to come reaches that.')
    type('Height in mm', 'x')
    expect(words()).toBe('Type a height in mm.')
  })

  it('a layer that begins meanwhile cannot be chosen any more', async () => {
    await sheet()
    tap('Layer')
    act(() => received(exampleState({ rev: 11, job: { ...job, layer: 90, begun: 90 } })))
    expect(words()).toContain('before layer 91')
    act(() => received(exampleState({ rev: 12, job: { ...job, layer: 99, begun: 100 } }))) // it stands before layer 100, or its lines are on their way
    expect(words()).toContain('before layer 101')
    act(() => received(exampleState({ rev: 13, job: { ...job, layer: 240, begun: 240 } })))
    expect(words()).toBe('This is the last layer: no other comes.')
    expect(button('Set this pause').disabled).toBe(true)
  })

  it('those that are set can be taken back, their notes are text, and a refusal says why', async () => {
    await sheet({ job: { ...job, stops } })
    const list = getByRole(root, 'list', { name: 'Pauses that are set' })
    expect(list.textContent).toContain('<b>red</b>')
    expect(queryByRole(root, 'button', { name: 'Remove the pause before layer 50' })).toBeNull()
    tap('Remove the pause before layer 120')
    expect(told).toEqual([{ do: 'remove_stop', job: 'j1', stop: { layer: 120 } }])
    answer({ error: { code: 'bad_stop', message: 'Pause at a layer: none is set before layer 120.', next: 'Choose.', warnings: [], problems: [] } })
    await flush()
    expect(root.textContent).toContain('none is set before layer 120')
  })

  it('a viewer sees the next one only', async () => {
    await page({ job: { ...job, stops }, me: { id: 'v', name: 'v', role: 'viewer', via: 'session' } })
    await vi.waitFor(() => {
      act(() => {})
      expect(root.textContent).toContain('Pauses before layer 120')
    }, { timeout: 20_000 })
    expect(queryByRole(root, 'button', { name: 'Pause at…' })).toBeNull()
  })
})

it('before a start pauses are chosen by layer or height, one before each layer', async () => {
  let value: readonly StopAt[] = []
  const show = () => act(() => render(<StopsChoice path="a b/c.gcode" value={value} disabled={false} onChange={(next) => (value = next)} />, root))
  state.value = exampleState({ state: 'idle', job: null })
  show()
  await flush()
  tap('Pause at a layer or height…')
  tap('Add this pause')
  expect(value).toEqual([{ layer: 120 }])
  show()
  tap('Pause at a layer or height…')
  tap('Height')
  type('Height in mm', '24')
  tap('Add this pause')
  expect(value).toEqual([{ layer: 120 }])
  show()
  tap('Remove the pause before layer 120')
  expect(value).toEqual([])
})

it('the next of the queue is started with pauses of its own', async () => {
  linkStatus.value = 'up'
  state.value = exampleState({ state: 'idle', job: null })
  act(() => render(<Next entry={queued(5, 'boat.gcode')} />, root))
  await vi.waitFor(() => button('Pause at a layer or height…'))
  tap('Pause at a layer or height…')
  act(() => getByLabelText(root, 'Change the filament there').click())
  tap('Add this pause')
  tap('Bed is clear, print')
  expect(told).toEqual([{ do: 'start_next', entry: 5, stops: [{ change: true, layer: 120 }] }])
})
