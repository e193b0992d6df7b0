// Files on their way to layerd, one after another: a phone's upstream is not made faster by sharing it.
//
//	add ─▶ waiting ─▶ sending (progress) ─▶ done | failed | exists (a person decides) | gone (cancelled)
import { signal } from '@preact/signals'
import { fileURL, refusal, unreachable } from './api'
import { join, unpackedName } from './listing'
import { parse, readFile, type ApiError } from './wire'

export interface Upload {
  id: number
  name: string
  path: string // in the store, with the folder
  size: number
  sent: number
  status: 'waiting' | 'sending' | 'exists' | 'failed' | 'done'
  error: ApiError | null
}

export const uploads = signal<readonly Upload[]>([])

const bodies = new Map<number, { file: File; overwrite: boolean }>()
let current: { id: number; xhr: XMLHttpRequest } | null = null
let count = 0

/** Puts files in the queue. known: paths that are there already; for those a person decides first. */
export function addUploads(chosen: Iterable<File>, folder: string, known: ReadonlySet<string>): void {
  const added: Upload[] = []
  for (const file of chosen) {
    const id = ++count
    const path = join(folder, unpackedName(file.name))
    bodies.set(id, { file, overwrite: false })
    added.push({ id, name: file.name, path, size: file.size, sent: 0, status: known.has(path) ? 'exists' : 'waiting', error: null })
  }
  uploads.value = [...uploads.value, ...added]
  next()
}

/** Sends it again: after a failure, or with overwrite when a person said to replace the file. */
export function retryUpload(id: number, overwrite: boolean): void {
  const body = bodies.get(id)
  if (!body) return
  body.overwrite ||= overwrite
  change(id, { status: 'waiting', sent: 0, error: null })
  next()
}

/** Sends it under another path, because the first is taken. */
export function renameUpload(id: number, path: string): void {
  change(id, { path, name: path.slice(path.lastIndexOf('/') + 1) })
  retryUpload(id, false)
}

/** Stops it, or takes its row away. Nothing of it stays in the store. */
export function cancelUpload(id: number): void {
  bodies.delete(id)
  uploads.value = uploads.value.filter((u) => u.id !== id)
  if (current?.id === id) {
    current.xhr.abort()
    finished()
  }
}

function next(): void {
  if (current) return
  const upload = uploads.value.find((u) => u.status === 'waiting')
  const body = upload && bodies.get(upload.id)
  if (!upload || !body) return
  const { id } = upload
  const xhr = new XMLHttpRequest()
  current = { id, xhr }
  xhr.upload.onprogress = (event) => change(id, { sent: event.loaded })
  xhr.onload = () => {
    settle(id, xhr.status, xhr.responseText)
    finished()
  }
  xhr.onerror = xhr.ontimeout = () => {
    change(id, { status: 'failed', error: unreachable().error })
    finished()
  }
  change(id, { status: 'sending' })
  xhr.open('PUT', fileURL(upload.path) + (body.overwrite ? '' : '?overwrite=0'))
  xhr.setRequestHeader('Content-Type', 'application/octet-stream')
  xhr.send(body.file)
}

function settle(id: number, status: number, body: string): void {
  if (status >= 200 && status < 300) {
    bodies.delete(id)
    change(id, { status: 'done', sent: uploads.value.find((u) => u.id === id)?.size ?? 0, path: storedPath(body) ?? pathOf(id) })
    return
  }
  const { error } = refusal(status, body)
  change(id, error.code === 'exists' ? { status: 'exists', error: null } : { status: 'failed', error })
}

/** layerd may have cleaned the name; its answer says how the file is called now. */
function storedPath(body: string): string | null {
  try {
    return readFile(parse(body), '').path
  } catch {
    return null
  }
}

function pathOf(id: number): string {
  return uploads.value.find((u) => u.id === id)?.path ?? ''
}

function finished(): void {
  current = null
  next()
}

function change(id: number, to: Partial<Upload>): void {
  uploads.value = uploads.value.map((u) => (u.id === id ? { ...u, ...to } : u))
}
