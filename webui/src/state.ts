// All that the screens show, as signals. The link writes here; screens read, and ask for things with perform().
import { batch, computed, effect, signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import * as api from './api'
import { failure, Link, newID, type LinkStatus } from './link'
import { answered, asked, refused, seen, type Asks } from './pending'
import { roles, type Answer, type ApiError, type Choices, type Doing, type Entry, type FileInfo, type Role, type State } from './wire'

/** The newest State; null until the first. */
export const state = signal<State | null>(null)
export const linkStatus = signal<LinkStatus>('connecting')
/** null: not known yet; false: the door is shown. */
export const loggedIn = signal<boolean | null>(null)
/** Why the door is shown, where that is more than that nobody is logged in. */
export const turnedAway = signal<ApiError | null>(null)
/** layerd could not be reached at all since the page was opened. */
export const unreachable = signal(false)
export const asks = signal<Asks>(new Map())
/** Console lines, the oldest first. */
export const lines = signal<readonly Entry[]>([])
export const files = signal<readonly FileInfo[] | null>(null)
export const filesError = signal<ApiError | null>(null)
export const choices = signal<Choices | null>(null)
/** Which segment of the Files screen is shown, by its name. */
export const filesView = signal('Files')
/** There are other printers on the network by which this one is reached from elsewhere. */
export const printers = signal(false)
/** What a part that was fetched later shows over all others, such as a question. */
export const over = signal<ComponentType | null>(null)
/** Which sheet of the guard is open; '' none. */
export const guardSheet = signal<'' | 'watch' | 'alarm'>('')
/** The phone's time in whole seconds, so that ages and end times stay right. */
export const tick = signal(Math.floor(Date.now() / 1000))

/** Controls work only while this is true. */
export const live = computed(() => linkStatus.value === 'up')

/** A message at the bottom of the screen. */
export interface Notice {
  id: number
  kind: 'error' | 'good'
  text: string
  next: string
}
export const notices = signal<readonly Notice[]>([])

const keptLines = 1000
let count = 0

export const link = new Link({
  status(status) {
    linkStatus.value = status
    if (status === 'denied') loggedIn.value = false
  },
  state: received,
  lines: (more) => { lines.value = [...lines.value, ...more].slice(-keptLines) },
  refused: () => void checkLogin(),
  strange(error) {
    console.error(error)
    if (strangeShown) return
    strangeShown = true
    notify('error', 'This page does not understand what layerd says.', 'Reload the page: layerd may have been updated.')
  },
})
let strangeShown = false

let receivedMs = 0

/** When layerd was last heard, in the phone's ms: how old everything on the screen is. */
export function heardMs(): number {
  return Math.max(receivedMs, link.heardMs)
}

/** Takes a State, from the socket or from GET /v1/state. */
export function received(next: State): void {
  const before = state.value
  const restarted = before !== null && next.rev < before.rev
  receivedMs = Date.now()
  batch(() => {
    state.value = next
    unreachable.value = false
    asks.value = seen(asks.value, next.rev, restarted)
    if (restarted) lines.value = []
  })
}

/**
 * Asks layerd to do something. The control named by key looks pending until the State shows it. Errors are shown as a notice, unless the caller
 * shows them itself (quiet).
 */
export async function perform(key: string, doing: Doing, quiet = false): Promise<Answer> {
  const token = ++count
  asks.value = asked(asks.value, key, { token, doing, rev: null })
  const answer = await link.do(doing)
  if (answer.error) {
    asks.value = refused(asks.value, key, token)
    if (!quiet) notify('error', answer.error.message, answer.error.next)
  } else {
    asks.value = answered(asks.value, key, token, answer.rev, state.value?.rev ?? 0)
  }
  return answer
}

/** What the control asked for and does not see yet. */
export function asking(key: string): Doing | null {
  return asks.value.get(key)?.doing ?? null
}

/**
 * The emergency stop takes both ways at once, the live socket and HTTP, with one id: either may hang, and layerd does it once.
 * It works while the link looks lost.
 */
export async function emergencyStop(): Promise<void> {
  const id = newID()
  const ways = [link.do({ do: 'emergency_stop' }, id), byHTTP(id)]
  const sure = ways.map(async (way) => {
    const answer = await way
    if (answer.error) throw new api.Refused(0, answer.error)
  })
  try {
    await Promise.any(sure)
  } catch {
    const said = (await ways[1])?.error
    if (said && said.code !== 'unreachable') notify('error', said.message, said.next)
    else notify('error', 'The emergency stop did not reach layerd.', 'Switch the printer off at its power switch.')
  }
}

async function byHTTP(id: string): Promise<Answer> {
  try {
    await api.post({ do: 'emergency_stop', id })
    return { type: 'answer', id, rev: 0, job: '', error: null }
  } catch (error) {
    const said = error instanceof api.Refused ? error.error : api.unreachable().error
    return { ...failure(id, said.code, said.message, said.next) }
  }
}

export function notify(kind: Notice['kind'], text: string, next = ''): void {
  const notice = { id: ++count, kind, text, next }
  notices.value = [...notices.value.filter((n) => n.text !== text), notice].slice(-2)
  setTimeout(() => dismissNotice(notice.id), kind === 'error' ? 9000 : 4000)
}

export function dismissNotice(id: number): void {
  notices.value = notices.value.filter((n) => n.id !== id)
}

/** Shows any failed request as a notice. */
export function complain(error: unknown): void {
  if (error instanceof api.Refused) {
    if (error.status === 401) loggedIn.value = false
    notify('error', error.error.message, error.error.next)
  } else {
    console.error(error)
    notify('error', 'Something went wrong on this page.', 'Reload it.')
  }
}

/** Whether this person may do what needs that role. */
export function allowed(role: Role): boolean {
  const me = state.value?.me.role ?? 'nobody'
  return roles.indexOf(me) >= roles.indexOf(role)
}

/** Asks layerd who we are; shows the key screen when it does not know us. */
export async function checkLogin(): Promise<void> {
  try {
    const first = await api.getState()
    if (linkStatus.value !== 'up') received(first)
    loggedIn.value = true
  } catch (error) {
    if (error instanceof api.Refused && (error.status === 401 || error.error.code === 'not_invited')) {
      if (error.status !== 401) turnedAway.value = error.error
      loggedIn.value = false
      link.stop()
    } else if (state.value === null) {
      unreachable.value = true
      if (!(error instanceof api.Refused)) console.error(error)
    }
  }
}

/** Gets the list of files now, whenever layerd says that it changed, and when the link is back; returns what ends that. */
export function followFiles(): () => void {
  const rev = computed(() => (live.value ? state.value?.files_rev : undefined))
  return effect(() => {
    if (rev.value !== undefined) void loadFiles()
  })
}

export async function loadFiles(): Promise<void> {
  try {
    files.value = (await api.getFiles()).files
    filesError.value = null
  } catch (error) {
    filesError.value = error instanceof api.Refused ? error.error : api.unreachable().error
  }
}

export async function loadChoices(): Promise<void> {
  try {
    choices.value = await api.getChoices()
  } catch (error) {
    complain(error)
  }
}
