// How temperatures are put together and made ready to be drawn.
import { describe, expect, it } from 'vitest'
import type { Recent } from '../src/curves'
import { bounds, columns, halfHourMs, heaterName, highest, inWords, joined, liveFrom, newest, temps, type Temps } from '../src/temps'

type Values = Record<string, [actual: (number | null)[], target: (number | null)[]]>

function recent(atMs: number[], values: Values, change: Partial<Recent> = {}): Recent {
  const from_ms = atMs[0] ?? 0
  return {
    whole: false, newest_ms: atMs.at(-1) ?? 0, now_ms: atMs.at(-1) ?? 0, from_ms, gap_ms: 15_000, after_ms: atMs.map((at) => at - from_ms),
    heaters: Object.entries(values).map(([name, [actual_c, target_c]]) => ({ name, actual_c, target_c })), ...change,
  }
}

const two = recent([1000, 2000], { nozzle0: [[20, 21], [200, 200]], bed: [[30, 31], [0, 0]] })

describe('joined', () => {
  it('takes the first answer as it is', () => {
    expect(joined(null, two)).toEqual({
      atMs: [1000, 2000], gapMs: 15_000,
      lines: [{ name: 'nozzle0', actual: [20, 21], target: [200, 200] }, { name: 'bed', actual: [30, 31], target: [0, 0] }],
    })
  })

  it('adds what is new, and nothing twice', () => {
    const next = joined(joined(null, two), recent([2000, 3000], { nozzle0: [[21, 22], [200, 200]], bed: [[31, 32], [0, 60]] }))
    expect(next.atMs).toEqual([1000, 2000, 3000])
    expect(next.lines.map((line) => [line.actual, line.target])).toEqual([[[20, 21, 22], [200, 200, 200]], [[30, 31, 32], [0, 0, 60]]])
  })

  it('keeps what there is when nothing is new', () => {
    expect(joined(joined(null, two), recent([], {}, { now_ms: 3000 })).atMs).toEqual([1000, 2000])
  })

  it('forgets everything when layerd says that its answer is the whole', () => {
    expect(joined(joined(null, two), recent([500], { bed: [[5], [0]] }, { whole: true })).atMs).toEqual([500])
  })

  it('drops what is older than half an hour, and a heater that is gone with it', () => {
    const next = joined(joined(null, two), recent([halfHourMs + 1500], { nozzle0: [[99], [0]] }))
    expect(next.atMs).toEqual([2000, halfHourMs + 1500])
    const later = joined(next, recent([halfHourMs + 3000], { nozzle0: [[98], [0]] }))
    expect(later.atMs).toEqual([halfHourMs + 1500, halfHourMs + 3000])
    expect(later.lines).toEqual([{ name: 'nozzle0', actual: [99, 98], target: [0, 0] }])
  })

  it('knows nothing of a heater before it was there or after it went', () => {
    const next = joined(joined(null, two), recent([3000], { chamber: [[40], [0]], nozzle0: [[22], [0]], nozzle1: [[50], [0]] }))
    expect(next.lines.map((line) => [line.name, line.actual])).toEqual([
      ['nozzle0', [20, 21, 22]], ['nozzle1', [null, null, 50]], ['bed', [30, 31, null]], ['chamber', [null, null, 40]],
    ])
  })
})

describe('columns', () => {
  it('are seconds, and each heater with its target; a target of 0 is none', () => {
    expect(columns(temps(two))).toEqual([[1, 2], [20, 21], [200, 200], [30, 31], [null, null]])
  })

  it('have a gap where nothing was heard', () => {
    const [seconds, actual] = columns(temps(recent([0, 1000, 61_000, 62_000], { bed: [[1, 2, 3, 4], [0, 0, 0, 0]] })))
    expect(seconds).toEqual([0, 1, 31, 61, 62])
    expect(actual).toEqual([1, 2, null, 3, 4])
  })

  it('have no gap at a pause of the length that is allowed', () => {
    expect(columns(temps(recent([0, 15_000], { bed: [[1, 2], [0, 0]] })))[0]).toEqual([0, 15])
  })
})

describe('what is drawn', () => {
  const of = (values: Values): Temps => temps(recent([1000, 2000], values))

  it('has zero and everything in it, targets too', () => {
    expect(bounds(of({ bed: [[20, 21], [0, 0]] }))).toEqual([0, 60])
    expect(bounds(of({ nozzle0: [[20, 21], [0, 240]] }))).toEqual([0, 260])
    expect(bounds(of({ nozzle0: [[-14, null], [0, 0]] }))).toEqual([-20, 60])
  })

  it('begins half an hour ago, or with the first point, and is some minutes wide', () => {
    const t = of({ bed: [[20, 21], [0, 0]] })
    expect(liveFrom(t, 5000)).toBe(5000 - 300_000)
    expect(liveFrom(t, 1000 + 600_000)).toBe(1000)
    expect(liveFrom(t, 1000 + 2 * halfHourMs)).toBe(1000 + halfHourMs)
  })

  it('tells the newest values only while they are new', () => {
    const t = of({ nozzle0: [[20, 21], [0, 200]] })
    const line = t.lines[0]
    if (!line) throw new Error('no line')
    expect(newest(t, line, 3000)).toEqual({ actual: 21, target: 200 })
    expect(newest(t, line, 30_000)).toEqual({ actual: null, target: 0 })
    expect(highest(line)).toBe(21)
    expect(highest({ name: 'bed', actual: [null], target: [0] })).toBeNull()
  })

  it('is told in words', () => {
    const t = of({ nozzle0: [[20, 214.6], [200, 215]], nozzle1: [[null, null], [0, 0]], bed: [[60, 61], [0, 0]] })
    expect(inWords(t, 'Last half hour', 3000)).toBe('Last half hour. Nozzle 1 now 215 °C, target 215 °C, from 20 °C to 215 °C. '
      + 'Nozzle 2 now unknown, nothing was read. Bed now 61 °C, off, from 60 °C to 61 °C.')
    expect(inWords(t, 'This print', null)).toBe('This print. Nozzle 1 from 20 °C to 215 °C. Nozzle 2 nothing was read. Bed from 60 °C to 61 °C.')
  })

  it('calls one nozzle nozzle, and counts several', () => {
    const one = of({ nozzle0: [[1, 1], [0, 0]] }).lines
    const three = of({ nozzle0: [[1, 1], [0, 0]], nozzle2: [[1, 1], [0, 0]] }).lines
    expect([heaterName('nozzle0', one), heaterName('nozzle2', three), heaterName('bed', one), heaterName('chamber', one)])
      .toEqual(['Nozzle', 'Nozzle 3', 'Bed', 'Chamber'])
  })
})
