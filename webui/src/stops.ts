// Where a print pauses by itself: the heights of a file's layers, and which layer a height or a choice leads to. No part of the first load.
import { get } from './api'
import { list, num, object } from './read'
import { trim } from './units'
import type { Stop, StopAt } from './wire'

/** GET /v1/heights/PATH: the height of each layer, 0 unknown. */
export const readHeights = object({ z_mm: list(num) })

export const getHeights = (path: string): Promise<readonly number[]> =>
  get(`/v1/heights/${path.split('/').map(encodeURIComponent).join('/')}`, readHeights).then((h) => h.z_mm)

const rounding = 0.0005

/** The first layer (from 1) after so many at z mm or above whose predecessor is below, 0 for none; as printer/stops.go has it. */
export function reaches(heights: readonly number[], begun: number, z: number): number {
  let below = true
  let bottom = 0
  for (const [i, at] of heights.entries()) {
    if (at === 0) continue
    bottom ||= at
    const reached = at >= z - rounding
    if (i >= begun && reached && (below || at <= bottom + rounding)) return i + 1
    below = !reached
  }
  return 0
}

/** "layer 12 (2.4 mm)" */
export function layerWords(layer: number, z: number): string {
  return z > 0 ? `layer ${layer} (${trim(z, 2)} mm)` : `layer ${layer}`
}

/** What a pause is, for people: "Before layer 12 (2.4 mm)". */
export const stopWords = ({ layer, z_mm: z }: Pick<Stop, 'layer' | 'z_mm'>): string => `Before ${layerWords(layer, z)}`

/** The pause that is wanted at a start, as it will stand in the list. */
export function placed(at: StopAt, heights: readonly number[]): Stop {
  const layer = at.layer ?? reaches(heights, 0, at.z_mm ?? 0)
  return { layer, z_mm: heights[layer - 1] ?? 0, change: at.change ?? false, note: at.note ?? '', percent: 0, passed: false }
}
