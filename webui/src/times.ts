// How long a print takes, and when its layers end. No part of the first load.
import { get } from './api'
import { bool, list, num, object, str, type Of } from './read'
import { reaches } from './stops'
import { duration } from './units'
import type { Job } from './wire'

const layerTime = object({ z_mm: num, cruise_s: num, rest_s: num, end_ms: num })

/** GET /v1/layers. */
export const readLayers = object({ job: str, layers: list(layerTime) })

/** GET /v1/times/PATH. */
export const readTimes = object({ time_s: num, heat_s: num, slicer_time_s: num, limits_by: str, limits_late: bool })

export type LayerTimes = Of<typeof readLayers>
export type FileTimes = Of<typeof readTimes>

export const getLayers = () => get('/v1/layers', readLayers)
export const getTimes = (path: string) => get(`/v1/times/${path.split('/').map(encodeURIComponent).join('/')}`, readTimes)

/** In how many seconds layer n (from 1) ends, by the newest state; null when it has ended, or nobody knows. */
export function endsIn(times: LayerTimes, n: number, job: Job): number | null {
  const layer = times.layers[n - 1]
  if (!layer || n < job.layer || job.left_s < 0 || job.rate <= 0) return null
  return Math.max(0, job.left_s - job.rate * layer.rest_s - job.cruise_rate * layer.cruise_s)
}

/** The layer of a height, from 1: the first from the one under way on that reaches it from below, as pauses have it; 0 where none does any more. */
export const layerAt = (times: LayerTimes, zMM: number, underWay: number): number => reaches(times.layers.map((layer) => layer.z_mm), underWay - 1, zMM)

const limitsWords: Record<string, string> = {
  printer: "limits of speed from the printer's own settings",
  file: 'limits of speed from the file',
  config: "limits of speed from the slicer's settings in the file",
  machine: "limits of speed that the slicer has for this machine",
  ours: 'limits of speed of a usual machine: the file says none',
}

/** Where the model has the machine's limits from. */
export function limitsText(times: FileTimes): string {
  const text = limitsWords[times.limits_by] ?? ''
  return times.limits_late ? 'limits of speed of a usual machine: the file says its own too late' : text
}

/** What the others say of the time that is left: "slicer: 2 h 10 min, printer's display: 2 h 5 min". */
export function othersText(job: Job): string {
  return [job.slicer_left_s >= 0 && job.left_by !== 'slicer' && `by the slicer ${duration(job.slicer_left_s)}`,
    job.printer_left_s >= 0 && job.left_by !== 'printer' && `on the printer's display ${duration(job.printer_left_s)}`].filter(Boolean).join(', ')
}
