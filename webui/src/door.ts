// What the door asks layerd, and how it says no. Fetched when nobody is logged in.
import { ask, get, Refused, unreachable } from './api'
import { bool, object, or, str, type Of } from './read'

export const readDoor = object({ setup: bool, accounts: bool, name: or(str, '') })
export type DoorState = Of<typeof readDoor>

export const getDoor = (): Promise<DoorState> => get('/v1/door', readDoor)

const json = (body: object): RequestInit => ({ method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })

/** Makes the first owner, who is logged in then. */
export async function setUp(secret: string, name: string, password: string): Promise<void> {
  await ask('/v1/setup', json({ secret, name, password }))
}

/** Gives a backup to a layerd that nobody owns. */
export async function restore(secret: string, backup: File): Promise<void> {
  await ask('/v1/restore', { method: 'POST', headers: { 'Layerd-Setup': secret }, body: backup })
}

/** Waits until layerd has taken on what it was given: then somebody owns it, unless the backup is of one with keys alone. */
export async function begunAnew(): Promise<void> {
  for (let tries = 0; tries < 120; tries++) {
    await new Promise((again) => setTimeout(again, 500))
    const door = await getDoor().catch(() => null) // it is not there for a moment
    if (door && !door.setup) return
  }
}

/** Exchanges a name and a password for the cookie. */
export async function logIn(name: string, password: string): Promise<void> {
  await ask('/v1/login', json({ name, password }))
}

/** Characters; layerd refuses fewer (internal/access/password.go). */
export const minPassword = 8

/** Why a password cannot be taken, "" when it can. */
export function passwordProblem(password: string): string {
  return [...password].length < minPassword ? `At least ${minPassword} characters; a few words do well.` : ''
}

/** refusedBy makes any failure one of layerd's own. */
export function refusedBy(error: unknown): Refused {
  return error instanceof Refused ? error : unreachable()
}

/** What somebody tried at the door. */
export type Tried = 'password' | 'key' | 'setup'

/** Why it did not work, and what to do, in words. How long to wait is said beside it. */
export function doorWords({ status, error }: Refused, tried: Tried): string {
  if (status === 429) return 'Too many wrong tries.'
  if (status === 503) return 'layerd is busy with other logins. Try again in a moment.'
  if (status === 401 && tried === 'password') return 'This name and this password do not belong together. Capital letters count.'
  if (status === 401 && tried === 'setup') return 'This is not the link that layerd printed last: it makes a new one each time it starts.'
  if (error.code === 'not_proven') return tried === 'key' ? 'This is no key that may do as much as you.' : 'This is not your password. Capital letters count.'
  if (status === 401 && tried === 'key') return 'layerd does not know this key. Check that all of it was copied; it may also have expired, or was taken back.'
  return `${error.message} ${error.next}`.trim()
}

/** A wait as it is counted down: 9 s, 1:05 min. */
export function waitText(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`
}
