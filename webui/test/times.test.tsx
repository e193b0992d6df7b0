// When layers end, by the newest state, and what the sheet shows of it.
import { getByLabelText, getByRole, getByTestId, getByText } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LayerSheet } from '../src/parts/layertimes'
import { StopsRow } from '../src/parts/stops'
import { state } from '../src/state'
import { endsIn, layerAt, limitsText, othersText, pausesAhead, type FileTimes, type LayerTimes } from '../src/times'
import type { Job } from '../src/wire'
import { exampleState, job } from './examples'

const times: LayerTimes = { job: 'j1', layers: [
  { z_mm: 0.2, cruise_s: 1600, rest_s: 2000, end_ms: 0 }, { z_mm: 0.4, cruise_s: 400, rest_s: 2000, end_ms: 0 }, { z_mm: 0.6, cruise_s: 200, rest_s: 1000, end_ms: 0 }, { z_mm: 0.8, cruise_s: 0, rest_s: 0, end_ms: 0 },
], pauses: [
  { kind: 'pause', command: 'M0', layer: 0, z_mm: 0, at_s: 0, percent: 0, cruise_s: 1700, rest_s: 2100 }, { kind: 'filament', command: 'M600', layer: 4, z_mm: 0.8, at_s: 2400, percent: 80, cruise_s: 100, rest_s: 500 },
] }
const printing = { ...job, layer: 2, layers: 4, percent: 25, left_s: 3300, rate: 1.25, cruise_rate: 1 }

describe('endsIn', () => {
  it.each([[1, null], [2, 400], [3, 1850], [4, 3300], [5, null], [0, null]])('layer %i ends in %s s', (n, want) => {
    expect(endsIn(times, n, printing)).toBe(want)
  })
  it('is unknown where the time left is, and never in the past', () => {
    expect(endsIn(times, 3, { ...printing, left_s: -1 })).toBeNull()
    expect(endsIn(times, 3, { ...printing, rate: 0 })).toBeNull()
    expect(endsIn(times, 2, { ...printing, left_s: 100 })).toBe(0)
  })
})

describe('pausesAhead', () => {
  const set = { layer: 3, z_mm: 0.6, change: true, note: '', percent: 60, passed: false }
  it('says when each comes, by what is left and the rate of this print', () => {
    const ahead = pausesAhead(times, { ...printing, stops: [set] })
    expect(ahead.map((one) => [one.where, one.what, one.inS])).toEqual([['Before layer 3 (0.6 mm)', 'new filament', 400], ['In layer 4 (0.8 mm)', 'new filament (M600)', 2575]])
  })
  it('leaves out what is passed, and knows no time where nobody does', () => {
    const late = { ...printing, percent: 90, layer: 4, left_s: -1, stops: [{ ...set, passed: true }, { ...set, layer: 5 }] }
    expect(pausesAhead(times, late).map((one) => [one.where, one.inS])).toEqual([['Before layer 5 (0.6 mm)', null]])
  })
})

it('layerAt finds the layer that reaches a height, of those that are to come', () => {
  expect([0.1, 0.2, 0.3, 0.8, 9].map((z) => layerAt(times, z, 1))).toEqual([1, 1, 2, 4, 0])
  expect([0.2, 0.4, 0.6].map((z) => layerAt(times, z, 3))).toEqual([0, 0, 3])
  const twice = { ...times, layers: [...times.layers, ...times.layers] } // one object after the other
  expect([0.2, 0.3, 0.8].map((z) => layerAt(twice, z, 5))).toEqual([5, 6, 8])
})

it('says in plain words where limits come from, and who else says what', () => {
  const file: FileTimes = { time_s: 1, heat_s: 0, slicer_time_s: 0, limits_by: 'config', limits_late: false, pauses: [] }
  expect(limitsText(file)).toBe("limits of speed from the slicer's settings in the file")
  expect(limitsText({ ...file, limits_late: true })).toContain('too late')
  expect(limitsText({ ...file, limits_by: 'new' })).toBe('')
  expect(othersText(job)).toBe("by the slicer 1 h 8 min, on the printer's display 1 h 8 min")
  expect(othersText({ ...job, slicer_left_s: -1, printer_left_s: -1 })).toBe('')
})

describe('the sheet', () => {
  let root: HTMLElement
  beforeEach(() => {
    root = document.createElement('div')
    document.body.append(root)
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(times))))
  })
  afterEach(() => {
    act(() => render(null, root))
    root.remove()
    vi.unstubAllGlobals()
  })
  const answer = () => getByTestId(root, 'layer-time').textContent
  const open = async (part: number | null) => {
    state.value = exampleState({ job: printing })
    act(() => render(<LayerSheet part={part} onClose={() => {}} />, root))
    await vi.waitFor(() => getByTestId(root, 'layer-time'))
  }

  it('the row below the progress has the times of what is printed: when an object is skipped they are others', async () => {
    const sooner = { ...times, pauses: [{ kind: 'pause', command: 'M0', layer: 3, z_mm: 0.6, at_s: 600, percent: 40, cruise_s: 0, rest_s: 0 }] }
    const row = (job: Job) => act(() => render(<StopsRow job={job} enabled />, root))
    row({ ...printing, id: 'j1', objects: 2 })
    await vi.waitFor(() => getByText(root, /in layer 4 \(0.8 mm\)/))
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(sooner))))
    row({ ...printing, id: 'j1', objects: 2, skipped: [1] })
    await vi.waitFor(() => getByText(root, /in layer 3 \(0.6 mm\)/))
  })

  it('says that its times did not come, and asks again', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new Error('no network')))
    state.value = exampleState({ job: printing })
    act(() => render(<LayerSheet part={null} onClose={() => {}} />, root))
    const again = await vi.waitFor(() => getByRole(root, 'button', { name: 'Try again' }))
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(times))))
    act(() => again.click())
    await vi.waitFor(() => getByTestId(root, 'layer-time'))
  })

  it('begins with the layer that comes next, and follows the slider, the height, and the print', async () => {
    await open(null)
    expect(answer()).toMatch(/^Layer 3 of 4 · 0.6 mm.*in 31 min$/)
    act(() => getByRole(root, 'button', { name: 'One layer less' }).click())
    expect(answer()).toMatch(/^Layer 2 of 4.*in 7 min$/)
    const height = getByLabelText(root, /height/) as HTMLInputElement
    act(() => {
      height.value = '0,7'
      height.dispatchEvent(new Event('input', { bubbles: true }))
    })
    act(() => getByRole(root, 'button', { name: 'Show' }).click())
    expect(answer()).toMatch(/^Layer 4 of 4.*in 55 minpauses here/)
    const ask = (mm: string) => {
      act(() => {
        height.value = mm
        height.dispatchEvent(new Event('input', { bubbles: true }))
      })
      act(() => getByRole(root, 'button', { name: 'Show' }).click())
    }
    ask('0,2')
    expect(getByRole(root, 'status').textContent).toBe('No layer to come reaches 0.2 mm.')
    expect(answer()).toMatch(/^Layer 4 of 4/)
    ask('0.8')
    expect(getByRole(root, 'status').textContent).toBe('')
    act(() => { state.value = exampleState({ rev: 11, job: { ...printing, left_s: 600 } }) })
    expect(answer()).toMatch(/in 10 minpauses here/)
    act(() => { state.value = exampleState({ rev: 12, state: 'paused', job: { ...printing, left_s: 600 } }) })
    expect(answer()).toMatch(/10 minof printing, once it goes on/)
  })

  it('says which pauses are to come, the file\'s and those that a person has set, and when', async () => {
    await open(null)
    const list = () => [...getByRole(root, 'region', { name: 'Pauses to come' }).querySelectorAll('li')].map((row) => row.textContent?.replace(/(\w{3} )?\d\d:\d\d/, 'TIME'))
    expect(list()).toEqual(['In layer 4 (0.8 mm)new filament (M600)TIME'])
    const stop = { layer: 3, z_mm: 0.6, change: false, note: 'Nuts', percent: 50, passed: false }
    act(() => { state.value = exampleState({ rev: 11, job: { ...printing, stops: [{ ...stop, layer: 2, percent: 20, passed: true }, stop] } }) })
    expect(list()).toEqual(['Before layer 3 (0.6 mm)as you set: NutsTIME', 'In layer 4 (0.8 mm)new filament (M600)TIME'])
    expect(answer()).toContain('pauses before it: as you set: Nuts')
    act(() => getByRole(root, 'button', { name: 'One layer more' }).click())
    expect(answer()).toContain('pauses here: new filament (M600)')
  })

  it('begins where the bar was tapped, never behind the print', async () => {
    await open(0.7)
    expect(answer()).toMatch(/^Layer 4 of 4/)
    act(() => render(null, root))
    await open(0)
    expect(answer()).toMatch(/^Layer 2 of 4/)
  })
})
