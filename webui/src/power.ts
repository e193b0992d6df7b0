// The switches for the printer's power and the lamp: got by the parts of the page that show them. This file is no part of the first load.
// internal/server/wire_power.go and internal/power are their other side.
import { ask } from './api'
import { bool, list, num, object, oneOf, str, type Of } from './read'
import { parse } from './wire'

export const kinds = ['', 'lines', 'gpio', 'tasmota', 'shelly', 'shelly2', 'http'] as const

const on = oneOf('on', 'off', 'unknown')
const way = object({
  kind: oneOf(...kinds), on_lines: str, off_lines: str, chip: str, line: num, active_low: bool, address: str, channel: num, user: str, password: str,
  on_url: str, off_url: str, state_url: str, on_text: str, post: bool,
})
const settings = object({ power: way, on_connect: bool, after_print: bool, after_cancelled: bool, cool_c: num, cut_on_stop: bool })

/** power of the state, which the first load only carries. */
export const readPowerState = object({
  on, told: bool, problem: str, after: oneOf('', 'print', 'cooling', 'counting'), off_ms: num, why: str, after_print: bool, cool_c: num,
})

/** GET /v1/power. */
export const readPower = object({
  settings, has_password: bool, lamp: way, lamp_has_password: bool, chips: list(object({ name: str, label: str, lines: num })), chips_problem: str,
  machine: object({ reboot: bool, shutdown: bool, restart: bool }),
})

/** POST /v1/power/try. */
export const readTried = object({ on, said: str, problem: str })

export type Way = Of<typeof way>
export type PowerSettings = Of<typeof settings>
export type PowerState = Of<typeof readPowerState>
export type Power = Of<typeof readPower>
export type Tried = Of<typeof readTried>

/** Asks a switch how it stands that is not set up yet. It switches nothing. */
export async function tryWay(way: Way): Promise<Tried> {
  return readTried(parse(await ask('/v1/power/try', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(way) })), '')
}

/** How a switch stands, in words. */
export function onText({ on, told }: Pick<PowerState, 'on' | 'told'>): string {
  if (on === 'unknown') return told ? 'Not known: the printer does not tell' : 'Not known'
  return on === 'on' ? 'On' : 'Off'
}
