// Readers turn what came over the wire (unknown) into typed values, or throw a WireError that names the place:
//
//	JSON.parse ─▶ object({ rev: num, nozzles: list(heater) }) ─▶ { rev: number, nozzles: Heater[] }
//
// Keys that a reader does not know are left out, so an older page keeps working with a newer layerd. Go writes an empty slice or map as null: list and
// record read that as empty.

export type Read<T> = (value: unknown, at: string) => T

/** The type that a reader gives. */
export type Of<R> = R extends Read<infer T> ? T : never

/** WireError says which part of a message is not as agreed. */
export class WireError extends Error {
  override name = 'WireError'
}

function wrong(at: string, want: string, value: unknown): never {
  const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value
  throw new WireError(`${at || 'message'}: ${got}, expected ${want}`)
}

export const num: Read<number> = (v, at) => (typeof v === 'number' && Number.isFinite(v) ? v : wrong(at, 'a number', v))
export const str: Read<string> = (v, at) => (typeof v === 'string' ? v : wrong(at, 'a string', v))
export const bool: Read<boolean> = (v, at) => (typeof v === 'boolean' ? v : wrong(at, 'true or false', v))

/** One of some words. */
export function oneOf<const T extends string>(...words: readonly T[]): Read<T> {
  return (v, at) => words.find((word) => word === v) ?? wrong(at, words.join(' or '), v)
}

/** null stays null. */
export function orNull<T>(read: Read<T>): Read<T | null> {
  return (v, at) => (v === null || v === undefined ? null : read(v, at))
}

/** A key that may be absent takes this value then. */
export function or<T>(read: Read<T>, absent: T): Read<T> {
  return (v, at) => (v === undefined || v === null ? absent : read(v, at))
}

export function list<T>(read: Read<T>): Read<T[]> {
  return (v, at) => {
    if (v === null || v === undefined) return []
    if (!Array.isArray(v)) return wrong(at, 'a list', v)
    return v.map((each: unknown, i) => read(each, `${at}[${i}]`))
  }
}

export function record<T>(read: Read<T>): Read<Record<string, T>> {
  return (v, at) => {
    const out: Record<string, T> = {}
    if (v === null || v === undefined) return out
    for (const [key, each] of entries(v, at)) out[key] = read(each, `${at}.${key}`)
    return out
  }
}

export function object<F extends Record<string, Read<unknown>>>(fields: F): Read<{ [K in keyof F]: Of<F[K]> }> {
  const names = Object.entries(fields)
  return (v, at) => {
    const values = new Map(entries(v, at))
    const out: Record<string, unknown> = {}
    for (const [name, read] of names) out[name] = read(values.get(name), at ? `${at}.${name}` : name)
    return out as { [K in keyof F]: Of<F[K]> }
  }
}

function entries(v: unknown, at: string): [string, unknown][] {
  if (typeof v !== 'object' || v === null || Array.isArray(v)) return wrong(at, 'an object', v)
  return Object.entries(v)
}
