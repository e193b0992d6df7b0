// Pictures, of each camera on its own: asked for, painted, acknowledged.
//
//	{"ack":0} ─▶ frame (frames.ts) ─▶ createImageBitmap ─▶ paint on the canvases ─▶ {"ack":seq} ─▶ the newest frame …
//
// layerd sends one frame for each acknowledgement, so a slow phone gets fewer pictures and never old ones. A hidden page
// acknowledges nothing; the last acknowledgement is sent when it is looked at again.
import { effect, signal } from '@preact/signals'
import { Incoming } from './frames'
import { Meter } from './meter'
import { Socket } from './socket'
import { link, linkStatus } from './state'
import type { Frame } from './wire'

/** The picture on the screen. */
export interface Shown {
  seq: number
  takenMs: number // layerd's clock
  stale: boolean // layerd said that its camera is not live
  width: number // as it is seen: the browser has turned it as its Exif says
  height: number
}

/** One camera's pictures. Its socket is open while anybody looks, however many canvases there are. */
export class Stream {
  readonly shown = signal<Shown | null>(null)
  readonly meter = new Meter()
  private readonly canvases = new Set<HTMLCanvasElement>()
  private last: ImageBitmap | null = null
  private owed: number | null = null // the acknowledgement that a hidden page holds back
  private socket: Socket | null = null
  private nudgedMs = 0
  private arrivals = 0
  private painted = 0 // which of them is on the screen

  constructor(private readonly id: number) {}

  /** Shows the camera on this canvas; returns what ends that. */
  watch(canvas: HTMLCanvasElement): () => void {
    this.canvases.add(canvas)
    if (this.last) draw(canvas, this.last)
    if (!this.socket) this.open()
    return () => {
      this.canvases.delete(canvas)
      // A picture of long ago must not flash up when somebody looks again: the next one is asked for anew.
      if (this.canvases.size === 0) this.close()
    }
  }

  private open(): void {
    let incoming = new Incoming()
    const mine = new Socket(`/v1/camera?id=${this.id}`, 0, {
      opened: () => {
        incoming = new Incoming()
        this.acknowledge(0)
      },
      message: (data) => {
        if (typeof data === 'string') return
        this.meter.add(data.byteLength, Date.now())
        try {
          const frame = incoming.take(data)
          mine.send(JSON.stringify({ got: incoming.got }))
          if (frame) void this.arrived(frame, mine)
        } catch (error) {
          console.error(error)
          mine.renew()
        }
      },
      down: () => undefined, // the picture's age says it
      denied: () => undefined, // the live socket says it
    })
    this.socket = mine
    mine.start()
    document.addEventListener('visibilitychange', this.looked)
  }

  private close(): void {
    document.removeEventListener('visibilitychange', this.looked)
    this.socket?.stop()
    this.socket = null
    this.owed = null
    this.last?.close()
    this.last = null
    this.shown.value = null
    this.meter.reset()
  }

  private async arrived(frame: Frame, from: Socket): Promise<void> {
    const arrival = ++this.arrivals
    try {
      const picture = await createImageBitmap(new Blob([frame.jpeg], { type: 'image/jpeg' }))
      if (this.socket !== from || arrival < this.painted) { // a newer one was decoded sooner, and is acknowledged
        picture.close()
        return
      }
      this.painted = arrival
      this.last?.close()
      this.last = picture
      for (const canvas of this.canvases) draw(canvas, picture)
      const { seq, takenMs, stale } = frame
      this.shown.value = { seq, takenMs, stale, width: picture.width, height: picture.height }
    } catch {
      // One damaged picture: the next may be better.
    }
    if (this.socket === from) this.acknowledge(frame.seq)
  }

  private acknowledge(seq: number): void {
    if (document.visibilityState === 'hidden') {
      this.owed = seq
      return
    }
    this.owed = null
    this.socket?.send(JSON.stringify(savesData() ? { ack: seq, save: true } : { ack: seq }))
  }

  private readonly looked = (): void => {
    if (document.visibilityState !== 'hidden' && this.owed !== null) this.acknowledge(this.owed)
  }

  /** The live socket came back after a loss, so this one is most likely dead too; silence alone does not tell. */
  revive(): void {
    if (this.socket?.isOpen) this.socket.renew()
    else this.socket?.retry()
  }

  /** Makes a new connection when pictures should come and do not: a dead one says nothing. Called now and then while somebody looks. */
  nudge(expected: boolean): void {
    const now = Date.now()
    const picture = this.shown.value
    if (!expected || this.owed !== null || !this.socket?.isOpen || !picture || ageMs(picture) < 10_000 || now - this.nudgedMs < 10_000) return
    this.nudgedMs = now
    this.socket.renew()
  }
}

const streams = new Map<number, Stream>() // by the camera's id

/** The one stream of a camera. */
export function streamOf(id: number): Stream {
  let found = streams.get(id)
  if (!found) streams.set(id, found = new Stream(id))
  return found
}

let wasLost = false
effect(() => {
  if (linkStatus.value === 'lost') wasLost = true
  else if (linkStatus.value === 'up' && wasLost) {
    wasLost = false
    for (const stream of streams.values()) stream.revive()
  }
})

function draw(canvas: HTMLCanvasElement, picture: ImageBitmap): void {
  if (canvas.width !== picture.width) canvas.width = picture.width
  if (canvas.height !== picture.height) canvas.height = picture.height
  canvas.getContext('2d')?.drawImage(picture, 0, 0)
}

/** How old the picture is, in ms. */
export function ageMs(picture: Shown): number {
  return Math.max(0, link.clock.now() - picture.takenMs)
}

/** The person has asked the phone to save data. */
export function savesData(): boolean {
  return (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true
}
