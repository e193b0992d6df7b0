// The guard against layer shifts: what layerd says of it, how that is put for people, and what they can have done. The first load only carries the
// message; the parts that show it are fetched later, and read it here. internal/guard/state.go has the other side.
import { computed, effect } from '@preact/signals'
import { get } from './api'
import { bool, list, num, object, oneOf, or, orNull, str, type Of, type Read } from './read'
import { perform, state } from './state'
import { moment, trim } from './units'
import type { Tone } from './words'

export const modes = ['off', 'tell', 'pause'] as const
const status = oneOf('ready', 'blind', 'unable', 'unset', 'off')
const witness = object({ status, why: str, at_ms: num, said: str, detects_x_mm: num, detects_y_mm: num })
const end = object({ usable: bool, why: str, at_mm: num, max: bool, spread_mm: num, hysteresis_mm: num, overtravel_mm: num, threshold_mm: num, steps_per_mm: num, limits_mm: orNull(list(num)) })
const settings = object({ mode: oneOf(...modes), camera: num, share_percent: num, record: bool, record_mb: num, pause_part: bool })
const card = object({
  made_ms: num, endstops: object({ x: end, y: end, made_ms: num, machine: str }), check_s: num, camera: num, camera_w: str, x_mm: num, y_mm: num, px_per_mm: num, bed_moves: bool,
})
const setup = object({ step: str, percent: num, why: str })
const drill = object({ running: bool, at_ms: num, axis: str, mm: num, endstops: str, camera: str, paused: bool, why: str })
const layer = object({ layer: num, at_ms: num, x_mm: orNull(num), y_mm: orNull(num), check: str, blind: str })
const crop: Read<readonly number[]> = list(num)
const statement = object({ witness: str, said: str, at_ms: num })
const rehoming = object({ running: bool, at_ms: num, ok: bool, reason: str })
const readRehoming = orNull(rehoming)
const arrow = object({ axis: str, mm: num, at: list(num), by: list(num) })
const alarm = object({
  id: num, at_ms: num, layer: num, since: num, spoiled: num, sentence: str, confirmed: bool, part: bool, x_mm: num, y_mm: num, paused: bool, statements: list(statement), pictures: bool, before_layer: num, after_layer: num, crop, arrows: list(arrow),
  rehoming: orNull(rehoming), job: str, label: str,
})

/** `guard` of the state. */
export const readGuard = object({
  mode: oneOf(...modes), settings, job: str, endstops: witness, camera: witness, outline: witness, firmware: witness, card: orNull(card), bed_ms: num, corners: orNull(list(list(num))), setup: orNull(setup), drill: orNull(drill), layers: list(layer),
  alarm: orNull(alarm), recording: bool, unkept: or(str, ''), notice: str,
})

export type Guard = Of<typeof readGuard>
export type Witness = Of<typeof witness>
export type Settings = Of<typeof settings>
export type Card = Of<typeof card>
export type Setup = Of<typeof setup>
export type Drill = Of<typeof drill>
export type Layer = Of<typeof layer>
export type Alarm = Of<typeof alarm>
export type Arrow = Of<typeof arrow>
export type Rehoming = Of<typeof rehoming>
export type Mode = (typeof modes)[number]

const read = orNull(readGuard)

/** The guard as it is now; null where there is none, or where it says what this page cannot read. */
export const guard = computed<Guard | null>(() => {
  try {
    return read(state.value?.guard, 'guard')
  } catch (error) {
    console.error(error)
    return null
  }
})

export const pictureURL = (alarm: number, which: 'before' | 'after'): string => `/v1/guard/${alarm}/${which}`

/** GET /v1/alarms/ID: the shifts that were found in that print. */
export const readAlarms = object({ alarms: list(alarm) })
export const getAlarms = (print: string): Promise<readonly Alarm[]> => get(`/v1/alarms/${encodeURIComponent(print)}`, readAlarms).then(({ alarms }) => alarms)

/** Why the last re-homing of a print came to nothing; "" it has not, or there was none. layerd may say it in the job or in the alarm. */
export function unproven(rehomed: unknown): string {
  const r = readRehoming(rehomed, 'rehomed')
  return r && !r.running && !r.ok ? r.reason || 'The printer did not say why.' : ''
}

// ---- Words ----

const mm = (value: number): string => trim(value, 2)

/** The least shifts of each axis, for people: "0.5 mm" when both are the same, "X 0.5, Y 0.9 mm"; "" when neither is seen. */
export function seesText(x: number, y: number): string {
  if (x <= 0 && y <= 0) return ''
  if (x > 0 && y > 0) return mm(x) === mm(y) ? `${mm(x)} mm` : `X ${mm(x)}, Y ${mm(y)} mm`
  return x > 0 ? `X ${mm(x)} mm` : `Y ${mm(y)} mm`
}

/** What layerd says in a sentence, put after a colon: "It is too dark." is "too dark". */
export function clause(text: string): string {
  const bare = text.replace(/^It is /, '').replace(/\.$/, '')
  return /^[A-Z][a-z]/.test(bare) ? bare.charAt(0).toLowerCase() + bare.slice(1) : bare
}

/** What the chip says: what is watched, and when nothing is, that. Blind is never "fine". */
export function chipWords({ mode, endstops, camera }: Guard): { text: string; tone: Tone } {
  if (mode === 'off') return { text: 'Not watching for layer shifts', tone: 'off' }
  const switches = endstops.status === 'ready'
  if (camera.status === 'ready') return { text: `Watching · sees ${seesText(camera.detects_x_mm, camera.detects_y_mm) || 'little'}`, tone: 'calm' }
  if (camera.status === 'blind') return { text: `Camera blind${camera.why && `: ${clause(camera.why)}`}${switches ? ' · endstops still checked' : ''}`, tone: 'warn' }
  if (switches) return { text: 'Watching by the endstops', tone: 'calm' }
  return { text: endstops.status === 'unset' || camera.status === 'unset' ? 'Not watching: not set up yet' : 'Not watching: nothing to watch with', tone: 'off' }
}

/** How a witness does, in plain words. */
export function witnessText(w: Witness, ready: string): { text: string; tone: Tone } {
  switch (w.status) {
    case 'ready': return { text: ready, tone: 'calm' }
    case 'blind': return { text: `Sees nothing now${w.why && `: ${clause(w.why)}`}`, tone: 'warn' }
    case 'unable': return { text: `Cannot be used${w.why && `: ${clause(w.why)}`}`, tone: 'off' }
    case 'unset': return { text: 'Needs the set-up', tone: 'off' }
    default: return { text: w.why ? `Off: ${clause(w.why)}` : 'Off', tone: 'off' }
  }
}

export const witnessNames: Record<string, string> = { endstops: 'Endstops', camera: 'Camera', outline: "The print's outline", firmware: "The printer's electronics" }

/** When a witness last said something; "" when never. */
export const saidAt = (atMs: number, nowMs: number): string => (atMs > 0 ? moment(atMs, nowMs) : '')

/** "about 2 spoiled layers" */
export function spoiledText(n: number): string {
  return n <= 0 ? 'no spoiled layer' : n === 1 ? 'about 1 spoiled layer' : `about ${n} spoiled layers`
}

const checkWords: Record<string, string> = { right: 'all is right', lost: 'steps were lost', unsure: 'not sure', skipped: 'could not be made' }

/** What a check came to, for people. */
export const checkText = (verdict: string): string => checkWords[verdict] ?? verdict

/** The timeline in words, for those who hear it. */
export function timelineText(layers: readonly Layer[]): string {
  const first = layers[0]
  const last = layers.at(-1)
  if (!first || !last) return 'No layer was looked at yet.'
  const most = (of: (l: Layer) => number | null) => {
    const seen = layers.flatMap((l) => of(l) ?? [])
    return seen.length > 0 ? `at most ${mm(Math.max(...seen.map(Math.abs)))} mm off` : 'not seen'
  }
  const blind = layers.filter((l) => l.x_mm === null && l.y_mm === null).length
  const checks = layers.filter((l) => l.check !== '')
  const lost = checks.filter((l) => l.check === 'lost').length
  return [
    `Layers ${first.layer} to ${last.layer}: X ${most((l) => l.x_mm)}, Y ${most((l) => l.y_mm)}`,
    blind > 0 && `${blind} not seen`,
    checks.length > 0 && `${checks.length} checked at the endstops${lost > 0 ? `, ${lost} of them wrong` : ''}`,
  ].filter(Boolean).join('; ') + '.'
}

// ---- Deeds ----

/**
 * Has X and Y homed anew, and the print go on when two checks say that all is right. It goes on only if this page sees that: a page that was closed,
 * or has lost its link, leaves the printer standing, and says how it is.
 */
export async function rehomeAndResume(job: string): Promise<void> {
  const answer = await perform('rehome', { do: 'rehome', job })
  if (answer.error) return
  if (await rehomed(answer.rev)) await perform('job', { do: 'resume', job })
}

/**
 * Waits until the re-homing that an answer of revision rev began has ended; whether the print may go on. The printer's own word counts: the guard's comes
 * a moment later.
 */
function rehomed(rev: number): Promise<boolean> {
  return new Promise((settle) => {
    let over = false
    let end: (() => void) | undefined
    const settled = (went: boolean) => {
      over = true
      end?.()
      settle(went)
    }
    end = effect(() => {
      const s = state.value
      if (over || !s || s.rev < rev) return
      const r = readRehoming(s.job?.rehomed, 'rehomed')
      if (s.state !== 'paused' || !r) settled(false)
      else if (!r.running) settled(r.ok)
    })
    if (over) end()
  })
}

/** This was none: layerd wants to see more before it stops this print again, and the print goes on, if it may. */
export async function falseAlarm(job: string, goes: boolean): Promise<void> {
  const answer = await perform('alarm', { do: 'false_alarm', job })
  if (!answer.error && goes) await perform('job', { do: 'resume', job })
}
