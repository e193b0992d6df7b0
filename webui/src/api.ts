// Requests over HTTP: everything but the live things. All paths are below /v1, and the browser adds the cookie.
import { parse, readChoices, readErrorBody, readFileList, readPrintList, readState } from './wire'
import type { Read } from './read'
import type { ApiError, Choices, Command, FileList, PrintList, State } from './wire'

/** Refused is layerd's own no: what went wrong and what to do next. Status 0: layerd was not reached. waitS: asked sooner, it says no again. */
export class Refused extends Error {
  constructor(readonly status: number, readonly error: ApiError, readonly waitS = 0) {
    super(error.message)
  }
}

export function unreachable(): Refused {
  return new Refused(0, { code: 'unreachable', message: 'layerd cannot be reached.', next: 'Check that this device is on the same network.', warnings: [], problems: [] })
}

/** refusal reads the body of a failed request, whatever it is. */
export function refusal(status: number, body: string, waitS = 0): Refused {
  try {
    return new Refused(status, readErrorBody(parse(body), '').error, waitS)
  } catch {
    return new Refused(status, { code: 'http', message: `layerd answered with status ${status}.`, next: '', warnings: [], problems: [] }, waitS)
  }
}

/** One request; its answer is the body. */
export async function ask(path: string, init: RequestInit = {}): Promise<string> {
  let response: Response
  let body: string
  try {
    response = await fetch(path, { cache: 'no-store', credentials: 'same-origin', ...init })
    body = await response.text()
  } catch {
    throw unreachable()
  }
  if (!response.ok) throw refusal(response.status, body, Number(response.headers.get('Retry-After')) || 0)
  return body
}

/** Exchanges a key for the cookie. */
export async function login(key: string): Promise<void> {
  await ask('/v1/login', { method: 'POST', headers: { Authorization: `Bearer ${key}` } })
}

export async function logout(): Promise<void> {
  await ask('/v1/logout', { method: 'POST' })
}

/** For requests of parts that are fetched later: they bring their reader. */
export async function get<T>(path: string, read: Read<T>): Promise<T> {
  return read(parse(await ask(path)), '')
}

export async function getState(): Promise<State> {
  return readState(parse(await ask('/v1/state')), '')
}

export async function getFiles(): Promise<FileList> {
  return readFileList(parse(await ask('/v1/files')), '')
}

export async function getPrints(beforeMs: number, limit: number): Promise<PrintList> {
  return readPrintList(parse(await ask(`/v1/prints?before=${beforeMs}&limit=${limit}`)), '')
}

export async function getChoices(): Promise<Choices> {
  return readChoices(parse(await ask('/v1/choices')), '')
}

/** Sends one command without the live socket: the second way for an emergency stop. */
export async function post(command: Command): Promise<void> {
  await ask('/v1/do', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(command) })
}

function escaped(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

export function fileURL(path: string): string {
  return `/v1/files/${escaped(path)}`
}

/** version changes with the file's content, so that an old picture is not taken from the cache. */
export function thumbnailURL(path: string, version: string): string {
  return `/v1/thumbnails/${escaped(path)}${version ? `?v=${version.slice(0, 12)}` : ''}`
}
