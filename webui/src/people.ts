// Who may come in, and who did what: people, keys and links, sessions, the audit. Only the pages that show them fetch this.
import { ask, get } from './api'
import { bool, list, num, object, oneOf, or, str, type Of } from './read'
import { duration, moment } from './units'
import { parse, roles, type Role } from './wire'

const role = oneOf(...roles)
const person = object({ id: str, name: str, role, tailnet: bool, created_ms: num, used_ms: num })
const token = object({ id: str, name: str, role, link: bool, created_ms: num, used_ms: num, expires_ms: num })
const session = object({ id: str, name: str, role, via: str, agent: str, from: str, created_ms: num, used_ms: num, expires_ms: num, current: bool })
const entry = object({ seq: num, at_ms: num, name: str, role: or(str, ''), via: or(str, ''), from: or(str, ''), what: str, detail: or(str, ''), outcome: str })

export const readPeople = object({ people: list(person), configured: list(object({ login: str, role })), default_role: or(role, 'nobody') })
export const readTokens = object({ tokens: list(token) })
export const readMade = object({ secret: str, token, qr: or(str, ''), digest: or(str, '') })
export const readSessions = object({ sessions: list(session) })
export const readAudit = object({ entries: list(entry) })

export type Person = Of<typeof person>
export type People = Of<typeof readPeople>
export type Token = Of<typeof token>
export type Made = Of<typeof readMade>
export type Session = Of<typeof session>
export type AuditEntry = Of<typeof entry>

const send = (method: string, path: string, body?: object): Promise<string> =>
  ask(path, { method, ...(body ? { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) } : {}) })

export interface PersonEdit { name?: string; role?: Role; password?: string; tailnet?: true }

export const getPeople = (): Promise<People> => get('/v1/people', readPeople)
export const addPerson = (edit: PersonEdit): Promise<string> => send('POST', '/v1/people', edit)
export const changePerson = (id: string, edit: PersonEdit): Promise<string> => send('PUT', `/v1/people/${encodeURIComponent(id)}`, edit)
export const removePerson = (id: string): Promise<string> => send('DELETE', `/v1/people/${encodeURIComponent(id)}`)

export const getTokens = async (): Promise<Token[]> => (await get('/v1/tokens', readTokens)).tokens
export const makeToken = async (name: string, role: Role, expires_ms: number, link: boolean): Promise<Made> =>
  readMade(parse(await send('POST', '/v1/tokens', { name, role, expires_ms, link })), '')
export const dropToken = (id: string): Promise<string> => send('DELETE', `/v1/tokens/${encodeURIComponent(id)}`)

export const getSessions = async (all = false): Promise<Session[]> => (await get(`/v1/sessions${all ? '?all=1' : ''}`, readSessions)).sessions
export const endSession = (id: string): Promise<string> => send('DELETE', `/v1/sessions/${encodeURIComponent(id)}`)

export const confirmWith = (proof: { password: string } | { key: string }): Promise<string> => send('POST', '/v1/confirm', proof)
export const changePassword = (old: string, password: string): Promise<string> => send('POST', '/v1/password', { old, new: password })

export const auditPage = 50
/** Entries before that number, the newest first; 0 for the newest of all. */
export const getAudit = async (before: number): Promise<AuditEntry[]> =>
  (await get(`/v1/audit?limit=${auditPage}${before > 0 ? `&before=${before}` : ''}`, readAudit)).entries

// ---- In words ----

/** The roles that somebody can be given, and what each may do. */
export const roleChoices: readonly { role: Role; name: string; about: string }[] = [
  { role: 'viewer', name: 'Viewer', about: 'Sees the picture and all that happens, and changes nothing.' },
  { role: 'operator', name: 'Operator', about: 'Prints, pauses, moves and heats; may upload any G-code, which may do anything.' },
  { role: 'owner', name: 'Owner', about: 'Everything: also settings, the console, and who may come in.' },
]

export function roleName(role: Role): string {
  return roleChoices.find((r) => r.role === role)?.name ?? 'Nobody'
}

const vias: Record<string, string> = {
  password: 'by password', key: 'by key', link: 'by a view-only link', bearer: 'by key', tailnet: 'by the tailnet', session: 'by a login', cookie: 'by key', demo: "by the demo's key",
}

/** How somebody has shown who he is. */
export function viaText(via: string): string {
  return vias[via] ?? via
}

/** "now", "12 min ago", then a day and time. nowMs is layerd's clock. */
export function agoText(ms: number, nowMs: number): string {
  const s = (nowMs - ms) / 1000
  if (s < 90) return 'now'
  return s < 3600 ? `${duration(s)} ago` : moment(ms, nowMs)
}

/** When a key or link ends. 0 = never. */
export function expiryText(ms: number, nowMs: number): string {
  if (ms === 0) return 'never ends'
  if (ms <= nowMs) return `ended ${moment(ms, nowMs)}`
  const s = (ms - nowMs) / 1000
  return `ends in ${s < 86_400 ? duration(s) : days(s / 86_400)}`
}

function days(n: number): string {
  const whole = Math.round(n)
  return whole === 1 ? '1 day' : `${whole} days`
}

const devices: readonly [RegExp, string][] = [
  [/iPhone/, 'iPhone'], [/iPad/, 'iPad'], [/Android(?!.*Mobile)/, 'Android tablet'], [/Android/, 'Android phone'], [/CrOS/, 'Chromebook'], [/Windows/, 'Windows'], [/Macintosh|Mac OS/, 'Mac'], [/Linux/, 'Linux'],
]
const browsers: readonly [RegExp, string][] = [
  [/Edg[A-Z]*\//, 'Edge'], [/OPR\//, 'Opera'], [/SamsungBrowser/, 'Samsung Internet'], [/Firefox|FxiOS/, 'Firefox'], [/Chrom(e|ium)|CriOS/, 'Chrome'], [/Safari/, 'Safari'],
]
const named = (table: readonly [RegExp, string][], agent: string): string => table.find(([pattern]) => pattern.test(agent))?.[1] ?? ''

/** A browser's own description in few words: "Firefox on Windows". What is no browser is called by its first word. */
export function deviceText(agent: string): string {
  const browser = named(browsers, agent)
  const device = named(devices, agent)
  if (browser && device) return `${browser} on ${device}`
  return browser || device || /^[\w.-]+/.exec(agent)?.[0].slice(0, 40) || 'Unknown device'
}

/** Some 80 bits, of letters and digits that are not taken for each other: k7wq-m2xr-… */
export function generatedPassword(): string {
  const signs = 'abcdefghijkmnpqrstuvwxyz23456789' // 32: a byte's lower five bits choose evenly
  const letters = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => signs[b & 31])
  return [0, 4, 8, 12].map((at) => letters.slice(at, at + 4).join('')).join('-')
}

/** The address that opens the page with a key. */
export function linkAddress(secret: string, origin = location.origin): string {
  return `${origin}/#token=${encodeURIComponent(secret)}`
}
