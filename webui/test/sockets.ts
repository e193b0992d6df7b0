// A stand-in for the browser's WebSocket, which the test plays the other end of.
import { vi } from 'vitest'

export class PretendSocket {
  static readonly OPEN = 1
  static all: PretendSocket[] = []
  static get newest(): PretendSocket {
    const last = PretendSocket.all.at(-1)
    if (!last) throw new Error('no socket was opened')
    return last
  }

  readyState = 0
  binaryType = 'blob'
  sent: string[] = []
  onopen: (() => void) | null = null
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null

  constructor(readonly url: string) {
    PretendSocket.all.push(this)
  }

  send(text: string): void {
    this.sent.push(text)
  }

  close(): void {
    this.readyState = 3
  }

  // ---- the other end ----

  open(): void {
    this.readyState = 1
    this.onopen?.()
  }

  say(message: unknown): void {
    this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) })
  }

  /** The connection breaks, or is refused. */
  break(code = 1006): void {
    this.readyState = 3
    this.onclose?.({ code })
  }

  /** Commands that were sent here. */
  get commands(): { id: string; do: string }[] {
    return this.sent.map((text) => JSON.parse(text) as { id: string; do: string }).filter((m) => m.do !== undefined)
  }
}

export function pretendSockets(): void {
  PretendSocket.all = []
  vi.stubGlobal('WebSocket', PretendSocket)
}
