// The mesh of the bed: what layerd says of it, and how it is drawn.
import { ask } from './api'
import { bool, list, num, object, orNull, str, type Of } from './read'
import { parse } from './wire'

const bedMesh = object({ at_ms: num, form: str, firmware: str, rows_mm: list(list(orNull(num))), low_mm: num, high_mm: num, mean_mm: num })
export const readMeshAnswer = object({ mesh: orNull(bedMesh), busy: bool, can_read: bool, can_probe: bool })

export type BedMesh = Of<typeof bedMesh>
export type MeshAnswer = Of<typeof readMeshAnswer>

/** The mesh that was read last; the printer is not asked. */
export async function getMesh(): Promise<MeshAnswer> {
  return readMeshAnswer(parse(await ask('/v1/mesh')), '')
}

/** Asks the printer for it. */
export async function readMesh(): Promise<MeshAnswer> {
  return readMeshAnswer(parse(await ask('/v1/mesh', { method: 'POST' })), '')
}

/** Has it measured, which takes minutes. */
export async function probeMesh(): Promise<MeshAnswer> {
  return readMeshAnswer(parse(await ask('/v1/mesh/probe', { method: 'POST' })), '')
}

/** A point's colour is how far it is from the mean: -1 the lowest that is drawn, 1 the highest. A bed that is flat to 0.05 mm is not drawn as mountains. */
export function tint(mm: number, mesh: Pick<BedMesh, 'low_mm' | 'high_mm' | 'mean_mm'>): number {
  const far = Math.max(mesh.high_mm - mesh.mean_mm, mesh.mean_mm - mesh.low_mm, 0.05)
  return Math.max(-1, Math.min(1, (mm - mesh.mean_mm) / far))
}

/** What a mesh means for a person. */
export function verdict(mesh: Pick<BedMesh, 'low_mm' | 'high_mm'>): string {
  const range = mesh.high_mm - mesh.low_mm
  if (range <= 0.1) return 'Very flat.'
  if (range <= 0.3) return 'Flat enough: leveling takes care of it.'
  return 'Far from flat: level the bed by its screws, then measure again.'
}
