// Temperatures as they are drawn: answers of layerd are put together, cut to half an hour, and gaps are made gaps. Pure.
import type { Curve, Recent } from './curves'
import { celsius } from './units'

export const halfHourMs = 30 * 60_000

/** One heater's values; null where nothing was reported. */
export interface Line {
  name: string // as layerd says it: nozzle0, bed, …
  actual: (number | null)[]
  target: (number | null)[] // 0 = off
}

/** Points from the oldest to the newest. */
export interface Temps {
  atMs: number[]
  gapMs: number
  lines: Line[]
}

export function temps(curve: Curve): Temps {
  return {
    atMs: curve.after_ms.map((after) => curve.from_ms + after), gapMs: curve.gap_ms,
    lines: curve.heaters.map((h) => ({ name: h.name, actual: h.actual_c, target: h.target_c })),
  }
}

/** What there was and what has come since, without what is older than half an hour. */
export function joined(had: Temps | null, next: Recent): Temps {
  const more = temps(next)
  if (!had || next.whole) return more
  const newest = had.atMs.at(-1) ?? 0
  const from = more.atMs.findIndex((at) => at > newest) // none of what we have twice
  const fresh = from < 0 ? more.atMs.length : from
  const oldest = next.now_ms - halfHourMs
  const kept = had.atMs.findIndex((at) => at >= oldest)
  const stale = kept < 0 ? had.atMs.length : kept
  const blank = (n: number): null[] => Array.from({ length: n }, () => null)
  const names = [...new Set([...had.lines, ...more.lines].map((line) => line.name))].sort(inOrder)
  const [before, after] = [had.atMs.slice(stale), more.atMs.slice(fresh)]
  const part = (t: Temps, name: string, key: 'actual' | 'target', skip: number, n: number) =>
    t.lines.find((line) => line.name === name)?.[key].slice(skip) ?? blank(n)
  const lines = names.map((name) => ({
    name,
    actual: [...part(had, name, 'actual', stale, before.length), ...part(more, name, 'actual', fresh, after.length)],
    target: [...part(had, name, 'target', stale, before.length), ...part(more, name, 'target', fresh, after.length)],
  }))
  return { atMs: [...before, ...after], gapMs: next.gap_ms, lines: lines.filter((line) => line.actual.some((c) => c !== null)) }
}

function inOrder(a: string, b: string): number {
  const rank = (name: string) => (name === 'chamber' ? 2 : name === 'bed' ? 1 : 0)
  return rank(a) - rank(b) || a.localeCompare(b, 'en', { numeric: true })
}

/** Columns to draw: seconds, and for each heater its values and its targets. A gap has a point without values, which breaks the lines; a target of 0 is none. */
export function columns(t: Temps): [number[], ...(number | null)[][]] {
  const seconds: number[] = []
  const out = t.lines.flatMap(() => [[], []] as (number | null)[][])
  t.atMs.forEach((at, i) => {
    const before = t.atMs[i - 1]
    if (before !== undefined && at - before > t.gapMs) {
      seconds.push((before + at) / 2000)
      for (const column of out) column.push(null)
    }
    seconds.push(at / 1000)
    t.lines.forEach((line, k) => {
      out[2 * k]?.push(line.actual[i] ?? null)
      out[2 * k + 1]?.push(line.target[i] || null)
    })
  })
  return [seconds, ...out]
}

/** The lowest and the highest temperature to draw: zero is in it, and so is what is drawn, with some room. */
export function bounds(t: Temps): [number, number] {
  let [low, high] = [0, 40]
  for (const line of t.lines) {
    for (const c of [...line.actual, ...line.target]) {
      if (c === null) continue
      low = Math.min(low, c)
      high = Math.max(high, c)
    }
  }
  const step = 20
  return [Math.floor(low / step) * step, Math.ceil((high + 5) / step) * step]
}

/** From when to draw: half an hour back, and no further than there is something, but always some minutes. */
export function liveFrom(t: Temps, nowMs: number): number {
  return Math.max(nowMs - halfHourMs, Math.min(t.atMs[0] ?? nowMs, nowMs - 5 * 60_000))
}

/** What a heater is called. */
export function heaterName(name: string, lines: readonly Line[]): string {
  const tool = /^nozzle(\d+)$/.exec(name)?.[1]
  if (tool === undefined) return name.charAt(0).toUpperCase() + name.slice(1)
  return lines.filter((line) => line.name.startsWith('nozzle')).length > 1 ? `Nozzle ${Number(tool) + 1}` : 'Nozzle'
}

/** The newest values, which are unknown when they are older than a gap. */
export function newest(t: Temps, line: Line, nowMs: number): { actual: number | null; target: number } {
  const at = t.atMs.at(-1)
  if (at === undefined || nowMs - at > t.gapMs) return { actual: null, target: 0 }
  return { actual: line.actual.at(-1) ?? null, target: line.target.at(-1) ?? 0 }
}

export function highest(line: Line): number | null {
  return line.actual.reduce<number | null>((high, c) => (c !== null && (high === null || c > high) ? c : high), null)
}

function lowest(line: Line): number | null {
  return line.actual.reduce<number | null>((low, c) => (c !== null && (low === null || c < low) ? c : low), null)
}

/** The graph in words: for each heater what it is, if nowMs is given, and between what it was. */
export function inWords(t: Temps, what: string, nowMs: number | null): string {
  const said = t.lines.map((line) => {
    const [low, high] = [lowest(line), highest(line)]
    const range = low === null || high === null ? 'nothing was read' : `from ${celsius(low)} to ${celsius(high)}`
    if (nowMs === null) return `${heaterName(line.name, t.lines)} ${range}`
    const now = newest(t, line, nowMs)
    const target = now.target > 0 ? `, target ${celsius(now.target)}` : ', off'
    return `${heaterName(line.name, t.lines)} ${now.actual === null ? 'now unknown' : `now ${celsius(now.actual)}${target}`}, ${range}`
  })
  return `${what}. ${said.join('. ')}.`
}
