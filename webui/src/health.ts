// How the machine does that layerd runs on: the messages and words of parts that are fetched later. internal/server/health.go answers.
import { follow } from './shelf'
import { list, num, object, oneOf, str, type Of } from './read'
import { allowed, state } from './state'
import type { State } from './wire'

const level = oneOf('ok', 'note', 'unknown', 'warn', 'bad')
const check = object({ id: str, name: str, level, found: str, do: str })

/** GET /v1/health, the worst first. */
export const readHealth = object({ at_ms: num, level, checks: list(check) })

export type MachineHealth = Of<typeof readHealth>
export type Check = Of<typeof check>
export type Level = Check['level']

/** Gets it now and after each look of layerd's, into what is given, until the returned function is called. Only an owner is answered. */
export const followHealth = (into: (value: MachineHealth) => void) =>
  follow('/v1/health', readHealth, () => (state.value && allowed('owner') ? String(state.value.host.at_ms) : undefined), into)

export const levelWords: Record<Level, string> = { ok: 'Good', note: 'Good to know', unknown: 'Not known', warn: 'Look at this', bad: 'Fix this' }

/** What Settings say of it in one line; '' = all is well, or nobody has looked. */
export function healthLine({ host }: Pick<State, 'host'>): string {
  if (host.level !== 'bad' && host.level !== 'warn') return ''
  return host.found ? `${host.name}: ${host.found}` : host.name
}
