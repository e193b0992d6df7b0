// How long a print takes, and when its layers end. No part of the first load.
import { useEffect, useState } from 'preact/hooks'
import { get } from './api'
import { bool, list, num, object, str, type Of } from './read'
import { layerWords, reaches, stopWords } from './stops'
import { duration, moment } from './units'
import type { Job } from './wire'

const layerTime = object({ z_mm: num, cruise_s: num, rest_s: num, end_ms: num })

const filePause = object({ kind: str, command: str, layer: num, z_mm: num, at_s: num, percent: num, cruise_s: num, rest_s: num })

/** GET /v1/layers. */
export const readLayers = object({ job: str, layers: list(layerTime), pauses: list(filePause) })

/** GET /v1/times/PATH. */
export const readTimes = object({ time_s: num, heat_s: num, slicer_time_s: num, limits_by: str, limits_late: bool, pauses: list(filePause) })

export type LayerTimes = Of<typeof readLayers>
export type FilePause = Of<typeof filePause>
export type FileTimes = Of<typeof readTimes>

export const getLayers = () => get('/v1/layers', readLayers)
const none: LayerTimes = { job: '', layers: [], pauses: [] }
let asked = { key: '', times: Promise.resolve(none) }

/** The layers of a print, asked for once in it, and again when other objects of it are skipped; without any until they are there. */
export function useLayers({ id, skipped }: Job): LayerTimes {
  const [times, setTimes] = useState(none)
  const key = `${id} ${skipped}`
  useEffect(() => {
    let gone = false
    if (asked.key !== key) asked = { key, times: getLayers() }
    asked.times.then((got) => !gone && setTimes(got.job === id ? got : none), () => {
      if (asked.key === key) asked.key = '' // another time
    })
    return () => { gone = true }
  }, [key])
  return times
}

export const getTimes = (path: string) => get(`/v1/times/${path.split('/').map(encodeURIComponent).join('/')}`, readTimes)

/** In how many seconds layer n (from 1) ends, by the newest state; null when it has ended, or nobody knows. */
export function endsIn(times: LayerTimes, n: number, job: Job): number | null {
  const layer = times.layers[n - 1]
  return !layer || n < job.layer ? null : comesIn(layer, job)
}

/** In how many seconds the print is where the file has so much to go; null: nobody knows. */
function comesIn({ cruise_s, rest_s }: { cruise_s: number; rest_s: number }, job: Job): number | null {
  return job.left_s < 0 || job.rate <= 0 ? null : Math.max(0, job.left_s - job.rate * rest_s - job.cruise_rate * cruise_s)
}

/** A pause that the print comes to: the file's own, or one that a person has set. */
export interface Ahead {
  key: string
  layer: number // the one that it is in, or stands before; from 1, 0 = before the first
  where: string // "In layer 12 (2.4 mm)"
  change: boolean // the filament is to be changed
  what: string // "new filament"
  inS: number | null // of printing; null unknown
}

/** The pauses that are still to come, the next one first. */
export function pausesAhead(times: LayerTimes, job: Job): Ahead[] {
  const own = times.pauses.filter((pause) => pause.percent > job.percent).map((pause, i) => ({
    at: pause.percent, key: `file ${i} ${pause.percent}`, layer: pause.layer, where: pauseWhere(pause), change: pause.kind === 'filament', what: pauseWords(pause), inS: comesIn(pause, job),
  }))
  const set = job.stops.filter((stop) => !stop.passed).map((stop) => ({
    at: stop.percent, key: `stop ${stop.layer}`, layer: stop.layer, where: stopWords(stop), change: stop.change, what: [stop.change ? 'new filament' : 'as you set', stop.note].filter(Boolean).join(': '), inS: stop.layer > 1 ? endsIn(times, stop.layer - 1, job) : null,
  }))
  return [...own, ...set].sort((a, b) => a.at - b.at)
}

/** "In layer 12 (2.4 mm)" */
export const pauseWhere = (pause: FilePause): string => pause.layer > 0 ? `In ${layerWords(pause.layer, pause.z_mm)}` : 'Before the first layer'

/** "new filament (M600)": what a pause of the file is for. */
export const pauseWords = (pause: FilePause): string => `${pause.kind === 'filament' ? 'new filament' : 'the file waits for you'} (${pause.command})`

/** When that is, for people: the time of day while it prints, else how much printing it is away. */
export function whenText(inS: number | null, running: boolean, now: number): string {
  return inS === null ? 'unknown' : running ? moment(now + inS * 1000, now) : `after ${duration(inS)}`
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
