// The network by which phones come from elsewhere, and other layerds on it: messages and words of parts that are fetched later.
// internal/server/overlay.go answers.
import { computed, effect, signal } from '@preact/signals'
import { get } from './api'
import { bool, list, num, object, oneOf, str, type Of } from './read'
import { follow } from './shelf'
import { allowed, live, printers, state } from './state'
import type { State } from './wire'

const kind = oneOf('none', 'tailnet', 'zerotier')
const settings = object({
  kind,
  tailnet: object({ name: str, control_url: str, tags: list(str), vendor_logs: bool, default_role: oneOf('', 'viewer', 'nobody') }),
  zerotier: object({ network: str }),
})
const status = object({
  kind, state: oneOf('off', 'starting', 'login', 'approval', 'running', 'failed'), name: str, urls: list(str), addresses: list(str), network: str, login_url: str,
  expires_ms: num, problem: str, next: str, health: list(str), paths: list(object({ peer: str, direct: bool, relay: str })),
})

/** GET /v1/overlay. */
export const readOverlay = object({ settings, status, login_qr: str, url_qr: str, has_key: bool })

const neighbour = object({ name: str, url: str, online: bool, state: str, job: str, percent: num, left_s: num, picture: bool, checked_ms: num })

/** GET /v1/neighbours. */
export const readNeighbours = object({ neighbours: list(neighbour) })

export type Overlay = Of<typeof readOverlay>
export type OverlaySettings = Overlay['settings']
export type OverlayKind = OverlaySettings['kind']
export type Status = Overlay['status']
export type Neighbour = Of<typeof neighbour>

export const overlay = signal<Overlay | null>(null)

/** Keeps overlay up to date until the returned function is called. Only an owner is answered. */
export const followOverlay = () => follow('/v1/overlay', readOverlay, () => state.value && allowed('owner') ? String(state.value.overlay_rev) : undefined, (value) => (overlay.value = value))

/** Asks for the other printers, once. The header leads to them from when there were any: one may be off for a moment, and answers come in any order. */
export async function askNeighbours(): Promise<readonly Neighbour[]> {
  const { neighbours } = await get('/v1/neighbours', readNeighbours)
  if (neighbours.length > 0) printers.value = true
  return neighbours
}

/** Looks for them once whenever this printer has come onto its network, until the returned function is called. */
export function seekPrinters(): () => void {
  const may = computed(() => state.value !== null && maySeeNeighbours(state.value))
  return effect(() => {
    if (!may.value) printers.value = false
    else if (live.value) askNeighbours().catch(() => undefined) // their page tells of errors
  })
}

export function neighbourPicture(name: string, turn: number): string {
  return `/v1/neighbours/${encodeURIComponent(name)}?turn=${turn}`
}

/** Whether layerd tells this person of other printers. */
export function maySeeNeighbours({ overlay: { state: now }, me }: State): boolean {
  return now === 'running' && (allowed('operator') || me.via === 'tailnet')
}

/** Whether a page that was opened at host came over the network where layerd has the address url: same machine or same domain there. */
export function isThere(host: string, url: string, via: string): boolean {
  if (via === 'tailnet') return true
  const there = URL.canParse(url) ? new URL(url).hostname : ''
  if (there === '' || host === there) return there !== ''
  const domain = there.slice(there.indexOf('.'))
  return !isAddress(there) && domain.length > 1 && there.includes('.') && host.endsWith(domain)
}

/** What others say becomes a link only if it is one of the web. */
export function isWeb(url: string): boolean {
  return /^https?:\/\//i.test(url)
}

const isAddress = (host: string): boolean => /^[\d.]+$|:/.test(host)

const soonMs = 14 * 24 * 3600_000

export interface Expiry {
  text: string
  soon: boolean // it is time to do something
}

/** When somebody has to log in again; null: never, or not known. */
export function expiry(expiresMs: number, nowMs: number): Expiry | null {
  if (expiresMs <= 0) return null
  const left = expiresMs - nowMs
  if (left <= 0) return { text: `The login ended on ${day(expiresMs)}.`, soon: true }
  const days = Math.floor(left / 86_400_000)
  const inDays = days === 0 ? 'today or tomorrow' : days === 1 ? 'in one day' : `in ${days} days`
  return left < soonMs ? { text: `The login ends ${inDays}, on ${day(expiresMs)}.`, soon: true } : { text: `Logged in until ${day(expiresMs)}.`, soon: false }
}

/** 3 March 2027, in the phone's time zone. */
export function day(ms: number): string {
  return new Date(ms).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })
}

/** What a person typed as tags, with the prefix that all have. */
export function tagsOf(text: string): string[] {
  return text.split(/[\s,;]+/).filter(Boolean).map((tag) => tag.includes(':') ? tag : `tag:${tag}`)
}

/** The first part of a machine's full name there. */
export function shortName(name: string): string {
  return name.split('.')[0] ?? ''
}
