// Timelapses: got by the parts of the page that show them. This file is no part of the first load. internal/server/timelapse.go answers.
import { signal } from '@preact/signals'
import { ask, get, unreachable, refusal } from './api'
import { bool, list, num, object, oneOf, str, type Of } from './read'
import { follow } from './shelf'
import { state } from './state'
import type { RecordChoice, TimelapseSettings } from './wire'

const mode = oneOf('off', 'time', 'layer')
const settings = object({
  mode, every_s: num, park: bool, camera: num, fps: num, budget_mb: num, limit_mb: num, render_early: bool, keep_failed: bool,
})
const video = object({ state: oneOf('recording', 'waiting', 'rendering', 'ready', 'failed', 'frames'), reason: str, percent: num, bytes: num })
const film = object({
  id: str, job_id: str, name: str, started_ms: num, ended_ms: num, mode, fps: num, outcome: str, frames: num, last_n: num, step: num, missed: num,
  bytes: num, video,
})

/** GET /v1/timelapses. */
export const readFilms = object({ settings, items: list(film), bytes: num, limit_bytes: num, recording: str, problem: str })

export type Film = Of<typeof film>
export type Films = Of<typeof readFilms>

export const films = signal<Films | null>(null)

/** Keeps films up to date until the returned function is called; while one is rendered, how far it is. */
export function followFilms(): () => void {
  const again = signal(0)
  const end = follow('/v1/timelapses', readFilms, () => state.value ? `${state.value.timelapses_rev} ${again.value}` : undefined, (value) => (films.value = value))
  const clock = setInterval(() => {
    if (films.value?.items.some((f) => f.video.state === 'rendering')) again.value++
  }, 3000)
  return () => {
    clearInterval(clock)
    end()
  }
}

const at = (id: string, what: string) => `/v1/timelapses/${encodeURIComponent(id)}${what}`

export const videoURL = (id: string): string => at(id, '/video')
export const downloadURL = (id: string): string => at(id, '/video?download')
/** Of one that is still recorded the newest frame is the poster. */
export const posterURL = (f: Film): string => at(f.id, f.ended_ms ? '/poster' : `/poster?n=${f.last_n}`)
export const removeFilm = (id: string): Promise<string> => ask(at(id, ''), { method: 'DELETE' })
export const renderFilm = (id: string): Promise<string> => ask(at(id, '/render'), { method: 'POST' })

/** One frame, as it is shown. */
export interface Shot {
  n: number
  layer: number // 0 unknown
  takenMs: number
  picture: ImageBitmap
}

/** Gets frame n, or the nearest before it. A browser keeps frames: a number always means the same one. */
export async function getShot(id: string, n: number): Promise<Shot> {
  let answer: Response
  try {
    answer = await fetch(at(id, `/frames/${n}`), { credentials: 'same-origin' })
  } catch {
    throw unreachable()
  }
  if (!answer.ok) throw refusal(answer.status, await answer.text())
  const number = (name: string) => Number(answer.headers.get(name) ?? 0)
  return { n: number('Frame'), layer: number('Frame-Layer'), takenMs: number('Frame-Taken-Ms'), picture: await createImageBitmap(await answer.blob()) }
}

export const readShots = object({ still_s: num, park_s: num })

/** How much longer a file prints when it is recorded by layer. */
export const getShots = (path: string): Promise<Of<typeof readShots>> => get(`/v1/shots/${path.split('/').map(encodeURIComponent).join('/')}`, readShots)

/** The choice of one print, as settings have it. */
export const choiceOf = ({ mode, every_s, park }: TimelapseSettings): RecordChoice => ({ mode, every_s, park })
