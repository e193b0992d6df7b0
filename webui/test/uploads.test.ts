// Uploads: one at a time, with progress, and each can be stopped.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { addUploads, cancelUpload, renameUpload, retryUpload, uploads } from '../src/uploads'
import { exampleFile } from './examples'

class PretendRequest {
  static all: PretendRequest[] = []
  upload: { onprogress: ((event: { loaded: number }) => void) | null } = { onprogress: null }
  onload: (() => void) | null = null
  onerror: (() => void) | null = null
  ontimeout: (() => void) | null = null
  url = ''
  status = 0
  responseText = ''
  aborted = false

  constructor() {
    PretendRequest.all.push(this)
  }

  open(method: string, url: string): void {
    this.url = `${method} ${url}`
  }

  setRequestHeader(): void {}
  send(): void {}

  abort(): void {
    this.aborted = true
  }

  answer(status: number, body: unknown): void {
    this.status = status
    this.responseText = JSON.stringify(body)
    this.onload?.()
  }
}

const file = (name: string, size = 100) => new File(['x'.repeat(size)], name)
const statuses = () => uploads.value.map((u) => u.status)
const request = (n: number) => PretendRequest.all[n]!
const first = () => uploads.value[0]!

beforeEach(() => {
  for (const upload of uploads.value) cancelUpload(upload.id)
  PretendRequest.all = []
  vi.stubGlobal('XMLHttpRequest', PretendRequest)
})

describe('uploads', () => {
  it('go one after another, with progress', () => {
    addUploads([file('a b.gcode'), file('c.gcode')], 'toys', new Set())
    expect(statuses()).toEqual(['sending', 'waiting'])
    expect(PretendRequest.all.map((r) => r.url)).toEqual(['PUT /v1/files/toys/a%20b.gcode?overwrite=0'])
    request(0).upload.onprogress?.({ loaded: 40 })
    expect(first().sent).toBe(40)
    request(0).answer(200, exampleFile('toys/a-b.gcode'))
    expect(statuses()).toEqual(['done', 'sending'])
    expect(first().path).toBe('toys/a-b.gcode') // as layerd calls it
  })

  it('stop when cancelled, and the next begins', () => {
    addUploads([file('a.gcode'), file('b.gcode')], '', new Set())
    cancelUpload(first().id)
    expect(request(0).aborted).toBe(true)
    expect(uploads.value.map((u) => [u.name, u.status])).toEqual([['b.gcode', 'sending']])
    request(0).answer(200, exampleFile('a.gcode')) // too late
    expect(uploads.value).toHaveLength(1)
  })

  it('what layerd will unpack goes by the name that it gets', () => {
    addUploads([file('a.bgcode'), file('b.gcode.gz')], 'toys', new Set(['toys/a.gcode']))
    expect(statuses()).toEqual(['exists', 'sending'])
    expect(request(0).url).toBe('PUT /v1/files/toys/b.gcode?overwrite=0')
  })

  it('ask before they replace a file that is known', () => {
    addUploads([file('a.gcode')], '', new Set(['a.gcode']))
    expect(statuses()).toEqual(['exists'])
    expect(PretendRequest.all).toHaveLength(0)
    retryUpload(first().id, true)
    expect(request(0).url).toBe('PUT /v1/files/a.gcode')
  })

  it('ask when layerd says that there is one', () => {
    addUploads([file('a.gcode')], '', new Set())
    request(0).answer(409, { error: { code: 'exists', message: 'There is one.', next: '' } })
    expect(statuses()).toEqual(['exists'])
    renameUpload(first().id, 'a (2).gcode')
    expect(request(1).url).toBe('PUT /v1/files/a%20(2).gcode?overwrite=0')
  })

  it('say why they failed, and can be tried again', () => {
    addUploads([file('a.gcode')], '', new Set())
    request(0).answer(422, { error: { code: 'not_gcode', message: 'This is a picture.', next: 'Upload G-code.' } })
    expect(first()).toMatchObject({ status: 'failed', error: { message: 'This is a picture.' } })
    retryUpload(first().id, false)
    request(1).onerror?.()
    expect(first()).toMatchObject({ status: 'failed', error: { code: 'unreachable' } })
  })
})
