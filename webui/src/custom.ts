// What people set up: saved profiles, scripts, buttons. Only the parts that show them fetch this.
import { useEffect, useState } from 'preact/hooks'
import { get, Refused } from './api'
import { list, num, object, orNull, str, type Of, type Read } from './read'
import { allowed, complain, live, state } from './state'
import { readProfile, type ApiError } from './wire'

export const readProfiles = object({ in_use: str, profiles: list(readProfile), presets: list(readProfile) })
export const readScripts = object({ scripts: list(object({ event: str, text: str })), values: list(object({ name: str, about: str })) })
export const readButtons = object({
  groups: list(object({
    name: str,
    buttons: list(object({
      id: num, label: str, lines: str, confirm: str,
      number: orNull(object({ label: str, unit: str, min: num, max: num, step: num, default: num })),
    })),
  })),
})

export type Profiles = Of<typeof readProfiles>
export type ScriptList = Of<typeof readScripts>
export type Problem = ApiError['problems'][number]

/** What layerd keeps at path, read again whenever somebody has changed it; null until it came. */
export function useKept<T>(path: string, read: Read<T>): T | null {
  const [kept, setKept] = useState<T | null>(null)
  const rev = state.value?.settings_rev
  const up = live.value
  useEffect(() => {
    if (!up) return
    let current = true
    get(path, read).then((value) => current && setKept(value), (error: unknown) => {
      if (current && !(error instanceof Refused && error.status === 0)) complain(error) // status 0: the link is lost, and says so
    })
    return () => { current = false }
  }, [path, rev, up])
  return kept
}

/** Why settings cannot be changed now, "" when they can. */
export function whyNotOwner(): string {
  if (!live.value) return 'No connection to layerd.'
  return allowed('owner') ? '' : 'Only an owner may change settings.'
}
