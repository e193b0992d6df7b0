// The spools and the queue: got by the parts of the page that show them, and again when layerd says that they changed. This file is no part of the
// first load.
import { computed, effect, signal } from '@preact/signals'
import { get } from './api'
import { bool, list, num, object, oneOf, str, type Of, type Read } from './read'
import { complain, live, state } from './state'

const spool = object({
  id: num, name: str, material: str, colour: str, diameter_mm: num, density_g_cm3: num, weight_g: num, spool_g: num, cost: num, archived: bool,
  used_mm: num, left_mm: num, left_g: num,
})
const active = object({ tool: num, spool: num, name: str, g_per_m: num })

/** GET /v1/spools. */
export const readSpools = object({ source: oneOf('layerd', 'spoolman'), spools: list(spool), active: list(active), at_ms: num, problem: str })

const entry = object({
  id: num, file: str, copies: num, by: str, added_ms: num, print: str, name: str, gone: bool, estimate_s: num, filament_mm: num, thumbnail: bool, sha256: str,
})

/** GET /v1/queue. */
export const readQueue = object({ entries: list(entry) })

export type Spool = Of<typeof spool>
export type Shelf = Of<typeof readSpools>
export type Entry = Of<typeof entry>

export const shelf = signal<Shelf | null>(null)
export const queue = signal<readonly Entry[] | null>(null)

/** Gets path now, whenever key says another thing, and when the link is back, after what nobody heard; an answer that was overtaken by a later one is forgotten. Returns what ends that. */
export function follow<T>(path: string, read: Read<T>, key: () => string | undefined, into: (value: T) => void): () => void {
  let asked = 0
  const rev = computed(() => (live.value ? key() : undefined))
  const end = effect(() => {
    if (rev.value === undefined) return
    const mine = ++asked
    get(path, read).then((value) => {
      if (mine === asked) into(value)
    }).catch(complain)
  })
  return () => {
    asked++
    end()
  }
}

const everyMM = 500 // of a print's filament; in between the spool shows what it had

/** Keeps shelf up to date until the returned function is called. */
export const followShelf = () => follow('/v1/spools', readSpools,
  () => state.value ? `${state.value.spools_rev} ${Math.floor((state.value.job?.filament_mm ?? 0) / everyMM)}` : undefined, (value) => (shelf.value = value))

/** Keeps queue up to date until the returned function is called. */
export const followQueue = () => follow('/v1/queue', readQueue, () => state.value ? `${state.value.queue_rev} ${state.value.files_rev}` : undefined, (value) => (queue.value = value.entries))

/** The spool on a tool; null when there is none, or it is not in the list. */
export function spoolOn(all: Shelf | null, tool: number): Spool | null {
  const id = all?.active.find((a) => a.tool === tool)?.spool
  return all?.spools.find((s) => s.id === id) ?? null
}

/** Where entry id comes to stand when it is put at place to, as queue_move wants it: the ID of the one it is put before, 0 for the end. */
export function beforeAt(ids: readonly number[], id: number, to: number): number {
  return ids.filter((one) => one !== id)[to] ?? 0
}

