// A websocket that comes back by itself:
//
//	start ─▶ open ─▶ messages … ─▶ closed, or silent too long ─▶ wait 0.5 → 8 s ─▶ open …
//
// It waits no longer once the phone is online or looked at again. link.ts and camera.ts say what goes over it.

export interface SocketEvents {
  opened(): void
  /** A text message, or the bytes of a binary one. */
  message(data: string | ArrayBuffer): void
  /** The connection is gone, or an attempt failed (wasOpen false: a refused login looks the same as no network). */
  down(wasOpen: boolean): void
  /** layerd said that nobody is logged in. It does not try again. */
  denied(): void
}

/** Close code with which layerd ends a socket without a valid key. */
export const closedDenied = 4401

const firstWait = 500
const longestWait = 8000
const openTimeout = 8000

export class Socket {
  private ws: WebSocket | null = null
  private opened = false
  private running = false
  private failures = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  /** When anything last came, in the browser's ms; 0 before. */
  heardMs = 0

  /** quietMs: that long without a message means that the connection is dead; 0 = silence is fine. */
  constructor(private readonly path: string, private readonly quietMs: number, private readonly on: SocketEvents) {}

  start(): void {
    if (this.running) return
    this.running = true
    addEventListener('online', this.wake)
    document.addEventListener('visibilitychange', this.wake)
    this.connect()
  }

  stop(): void {
    this.running = false
    removeEventListener('online', this.wake)
    document.removeEventListener('visibilitychange', this.wake)
    clearTimeout(this.timer)
    this.drop()
  }

  get isOpen(): boolean {
    return this.opened
  }

  /** Sends when open, and says whether it did. */
  send(text: string): boolean {
    if (!this.ws || !this.opened || this.ws.readyState !== WebSocket.OPEN) return false
    this.ws.send(text)
    return true
  }

  /** Connects at once instead of waiting for the next attempt. */
  retry(): void {
    if (!this.running || this.opened) return
    this.failures = 0
    this.drop()
    this.connect()
  }

  /** Gives this connection up and makes a new one. */
  renew(): void {
    if (this.running && this.ws) this.lost()
  }

  private connect(): void {
    clearTimeout(this.timer)
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:'
    const ws = new WebSocket(`${scheme}//${location.host}${this.path}`)
    ws.binaryType = 'arraybuffer'
    this.ws = ws
    ws.onopen = () => {
      this.opened = true
      this.failures = 0
      this.heard()
      this.on.opened()
    }
    ws.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      this.heard()
      this.on.message(event.data)
    }
    ws.onclose = (event) => {
      if (event.code === closedDenied) this.refuse()
      else this.lost()
    }
    this.timer = setTimeout(() => this.lost(), openTimeout)
  }

  private heard(): void {
    this.heardMs = Date.now()
    clearTimeout(this.timer)
    if (this.quietMs > 0) this.timer = setTimeout(() => this.lost(), this.quietMs)
  }

  private lost(): void {
    const wasOpen = this.opened
    this.drop()
    if (!this.running) return
    const wait = Math.min(longestWait, firstWait * 2 ** this.failures) * (0.75 + Math.random() / 2)
    this.failures++
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.connect(), wait)
    this.on.down(wasOpen)
  }

  private refuse(): void {
    this.stop()
    this.on.denied()
  }

  /** Forgets the socket, so that nothing it still says is heard. */
  private drop(): void {
    const ws = this.ws
    this.ws = null
    this.opened = false
    if (!ws) return
    ws.onopen = ws.onmessage = ws.onclose = null
    ws.close()
  }

  // A phone that slept, or changed from Wi-Fi to mobile, may hold a connection that is long dead.
  private readonly wake = (): void => {
    if (!this.running || document.visibilityState === 'hidden') return
    if (!this.opened) this.retry()
    else if (this.quietMs > 0 && Date.now() - this.heardMs > this.quietMs / 2) this.renew()
  }
}
