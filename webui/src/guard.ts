// What watches for shifted layers, as layerd tells it; it mirrors internal/guard/state.go. Lengths are mm.
import { bool, list, num, object, orNull, str, type Of } from './read'

export type WatchMode = 'off' | 'tell' | 'pause'
export interface GuardSettings { mode: WatchMode; camera: number; share_percent: number; record: boolean; record_mb: number }

export const rehome = object({ running: bool, at_ms: num, ok: bool, reason: str })
const oneSwitch = object({ usable: bool, why: str, at_mm: num, max: bool, spread_mm: num, hysteresis_mm: num, overtravel_mm: num, threshold_mm: num, limits_mm: orNull(list(num)),
})
export const switches = object({ x: oneSwitch, y: oneSwitch, made_ms: num, machine: str })

/** status: "ready", "blind" (never taken for "all is well"), "unable", "unset", "off"; detects 0: it sees none. */
const witness = object({ status: str, why: str, at_ms: num, said: str, detects_x_mm: num, detects_y_mm: num })
const card = object({
  made_ms: num, endstops: switches, check_s: num, camera: num, camera_w: str, x_mm: num, y_mm: num, px_per_mm: num, bed_moves: bool,
})
const layer = object({ layer: num, at_ms: num, x_mm: orNull(num), y_mm: orNull(num), check: str, blind: str })

/** A shift that was found. Its pictures are /v1/guard/ID/before and /after; crop is where to look: left, top, width, height, as parts of 1. */
export const readAlarm = object({
  id: num, at_ms: num, layer: num, since: num, spoiled: num, sentence: str, confirmed: bool, x_mm: num, y_mm: num, paused: bool,
  statements: list(object({ witness: str, said: str, at_ms: num })), pictures: bool, crop: list(num), rehoming: orNull(rehome), job: str, label: str,
})

/** GET /v1/alarms/ID: the shifts that were found in that print. */
export const readAlarmList = object({ alarms: list(readAlarm) })

export const readGuard = object({
  mode: str, settings: object({ mode: str, camera: num, share_percent: num, record: bool, record_mb: num }), job: str,
  endstops: witness, camera: witness, firmware: witness, card: orNull(card),
  setup: orNull(object({ step: str, percent: num, why: str })),
  drill: orNull(object({ running: bool, at_ms: num, axis: str, mm: num, endstops: str, camera: str, paused: bool, why: str })),
  layers: list(layer), alarm: orNull(readAlarm), recording: bool, notice: str,
})

export type GuardState = Of<typeof readGuard>
export type Alarm = Of<typeof readAlarm>
