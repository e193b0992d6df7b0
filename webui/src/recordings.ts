// What was recorded of prints that were watched for layer shifts: got by the part of the page that shows it. This file is no part of the first load.
// internal/server/recordings.go answers.
import { signal } from '@preact/signals'
import { ask } from './api'
import { list, num, object, str, type Of } from './read'
import { follow } from './shelf'
import { state } from './state'

const recording = object({ job: str, file: str, at_ms: num, looks: num, bytes: num })

/** GET /v1/recordings. */
export const readRecordings = object({ recordings: list(recording), bytes: num, limit_bytes: num, free_bytes: num, least_bytes: num })

export type Recording = Of<typeof recording>
export type Recordings = Of<typeof readRecordings>

export const recordings = signal<Recordings | null>(null)
const again = signal(0)

/** Keeps recordings up to date until the returned function is called: they change when a print ends, and with each tenth layer of one. */
export const followRecordings = () => follow('/v1/recordings', readRecordings,
  () => state.value ? `${state.value.last_job?.id ?? ''} ${Math.floor((state.value.job?.layer ?? 0) / 10)} ${again.value}` : undefined, (value) => (recordings.value = value))

const at = (job: string) => `/v1/recordings/${encodeURIComponent(job)}`

/** All of one, as a zip archive. */
export const archiveURL = at

/** Deletes one. */
export async function removeRecording(job: string): Promise<void> {
  await ask(at(job), { method: 'DELETE' })
  again.value++
}

/** Why nothing can be recorded now; "" it can. */
export function tightText({ free_bytes, least_bytes }: Pick<Recordings, 'free_bytes' | 'least_bytes'>): string {
  const mb = (bytes: number) => `${Math.floor(bytes / 1e6)} MB`
  return free_bytes >= 0 && free_bytes < least_bytes ? `Nothing is recorded now: only ${mb(free_bytes)} are free on the disk, and ${mb(least_bytes)} are kept for prints.` : ''
}
