// Pictures: asked for, painted, acknowledged.
//
//	{"ack":0} ─▶ frame (frames.ts) ─▶ createImageBitmap ─▶ paint on the canvases ─▶ {"ack":seq} ─▶ the newest frame …
//
// layerd sends one frame for each acknowledgement, so a slow phone gets fewer pictures and never old ones. A hidden page
// acknowledges nothing; the last acknowledgement is sent when it is looked at again.
import { effect, signal } from '@preact/signals'
import { Incoming } from './frames'
import { Socket } from './socket'
import { link, linkStatus } from './state'
import type { Frame } from './wire'

/** The picture on the screen. */
export interface Shown {
  seq: number
  takenMs: number // layerd's clock
  stale: boolean // layerd said that its camera is not live
  width: number
  height: number
}

export const shown = signal<Shown | null>(null)

const canvases = new Set<HTMLCanvasElement>()
let last: ImageBitmap | null = null
let owed: number | null = null // the acknowledgement that a hidden page holds back
let socket: Socket | null = null

/** Shows the camera on this canvas; returns what ends that. The socket is open while anybody looks. */
export function watch(canvas: HTMLCanvasElement): () => void {
  canvases.add(canvas)
  if (last) draw(canvas, last)
  if (!socket) open()
  return () => {
    canvases.delete(canvas)
    // A picture of long ago must not flash up when somebody looks again: the next one is asked for anew.
    if (canvases.size === 0) close()
  }
}

function open(): void {
  let incoming = new Incoming()
  const mine = new Socket('/v1/camera', 0, {
    opened: () => {
      incoming = new Incoming()
      acknowledge(0)
    },
    message: (data) => {
      if (typeof data === 'string') return
      try {
        const frame = incoming.take(data)
        mine.send(JSON.stringify({ got: incoming.got }))
        if (frame) void arrived(frame, mine)
      } catch (error) {
        console.error(error)
        mine.renew()
      }
    },
    down: () => undefined, // the picture's age says it
    denied: () => undefined, // the live socket says it
  })
  socket = mine
  mine.start()
  document.addEventListener('visibilitychange', looked)
}

function close(): void {
  document.removeEventListener('visibilitychange', looked)
  socket?.stop()
  socket = null
  owed = null
  last?.close()
  last = null
  shown.value = null
}

async function arrived(frame: Frame, from: Socket): Promise<void> {
  try {
    const picture = await createImageBitmap(new Blob([frame.jpeg], { type: 'image/jpeg' }))
    if (socket !== from) {
      picture.close()
      return
    }
    last?.close()
    last = picture
    for (const canvas of canvases) draw(canvas, picture)
    const { seq, takenMs, stale } = frame
    shown.value = { seq, takenMs, stale, width: picture.width, height: picture.height }
  } catch {
    // One damaged picture: the next may be better.
  }
  if (socket === from) acknowledge(frame.seq)
}

function draw(canvas: HTMLCanvasElement, picture: ImageBitmap): void {
  if (canvas.width !== picture.width) canvas.width = picture.width
  if (canvas.height !== picture.height) canvas.height = picture.height
  canvas.getContext('2d')?.drawImage(picture, 0, 0)
}

/** The person has asked the phone to save data. */
export function savesData(): boolean {
  return (navigator as Navigator & { connection?: { saveData?: boolean } }).connection?.saveData === true
}

function acknowledge(seq: number): void {
  if (document.visibilityState === 'hidden') {
    owed = seq
    return
  }
  owed = null
  socket?.send(JSON.stringify(savesData() ? { ack: seq, save: true } : { ack: seq }))
}

function looked(): void {
  if (document.visibilityState !== 'hidden' && owed !== null) acknowledge(owed)
}

// When the live socket came back after a loss, the camera's is most likely dead too; silence alone does not tell.
let wasLost = false
effect(() => {
  if (linkStatus.value === 'lost') wasLost = true
  else if (linkStatus.value === 'up' && wasLost) {
    wasLost = false
    if (socket?.isOpen) socket.renew()
    else socket?.retry()
  }
})

let nudgedMs = 0

/** Makes a new connection when pictures should come and do not: a dead one says nothing. Called now and then while somebody looks. */
export function nudge(expected: boolean): void {
  const now = Date.now()
  const picture = shown.value
  if (!expected || owed !== null || !socket?.isOpen || !picture || ageMs(picture) < 10_000 || now - nudgedMs < 10_000) return
  nudgedMs = now
  socket.renew()
}

/** How old the picture is, in ms. */
export function ageMs(picture: Shown): number {
  return Math.max(0, link.clock.now() - picture.takenMs)
}
