// What was asked and is not yet seen in the state. A control looks pending from the tap until the first State whose revision is at
// least the answer's, or until the answer is an error. Pure: state.ts keeps the one map in a signal.
import type { Doing } from './wire'

export interface Ask {
  token: number // tells a newer ask on the same control from this one
  doing: Doing
  rev: number | null // of the answer; null before it
}

/** By control: "job", "nozzle0", "fan". */
export type Asks = ReadonlyMap<string, Ask>

export function asked(asks: Asks, key: string, ask: Ask): Asks {
  return new Map(asks).set(key, ask)
}

/** The answer came; the snapshot shown now has revision seen. */
export function answered(asks: Asks, key: string, token: number, rev: number, seen: number): Asks {
  const ask = asks.get(key)
  if (!ask || ask.token !== token) return asks
  return rev <= seen ? without(asks, key) : new Map(asks).set(key, { ...ask, rev })
}

export function refused(asks: Asks, key: string, token: number): Asks {
  return asks.get(key)?.token === token ? without(asks, key) : asks
}

/** A State came. restarted: layerd counts revisions anew, so answers from before mean nothing. */
export function seen(asks: Asks, rev: number, restarted: boolean): Asks {
  const left = [...asks].filter(([, ask]) => ask.rev === null || (!restarted && ask.rev > rev))
  return left.length === asks.size ? asks : new Map(left)
}

function without(asks: Asks, key: string): Asks {
  const left = new Map(asks)
  left.delete(key)
  return left
}
