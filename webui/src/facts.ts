// What a file says of itself. No part of the first load.
import { get } from './api'
import { list, num, object, str, type Of } from './read'
import { trim } from './units'

/** GET /v1/facts/PATH. */
export const readFacts = object({
  slicer: str, printer: str, layer_height_mm: num, nozzle_mm: list(num), materials: list(str), size_mm: list(num), nozzle_c: num, bed_c: num, pauses: num, filament_changes: num, warnings: list(str),
})

export type FileFacts = Of<typeof readFacts>

export const getFacts = (path: string) => get(`/v1/facts/${path.split('/').map(encodeURIComponent).join('/')}`, readFacts)

const each = <T>(values: readonly T[], say: (v: T) => string): string => [...new Set(values.map(say))].filter(Boolean).join(', ')

/** What is known, as names and words for a list; what is unknown is left out. */
export function factRows(f: FileFacts): [name: string, words: string][] {
  const heat = [f.nozzle_c > 0 && `nozzle ${trim(f.nozzle_c, 0)} °C`, f.bed_c > 0 && `bed ${trim(f.bed_c, 0)} °C`].filter(Boolean).join(', ')
  const others = f.pauses - f.filament_changes
  const rows: [string, string][] = [
    ['Takes up', f.size_mm.length === 3 ? `${f.size_mm.map((v) => trim(v, 1)).join(' × ')} mm` : ''],
    ['Layers of', f.layer_height_mm > 0 ? `${trim(f.layer_height_mm, 2)} mm` : ''],
    ['Nozzle', each(f.nozzle_mm, (v) => v > 0 ? `${trim(v, 2)} mm` : '')],
    ['Material', each(f.materials, (m) => m)],
    ['Heat', heat],
    ['Stops by itself', [others > 0 && (others === 1 ? 'once' : `${others} times`), f.filament_changes > 0 && (f.filament_changes === 1 ? 'once for filament' : `${f.filament_changes} times for filament`)].filter(Boolean).join(', ')],
    ['Made by', f.slicer],
    ['Made for', f.printer],
  ]
  return rows.filter(([, words]) => words !== '')
}
