// Pictures are acknowledged after they were painted, never by a hidden page.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ageMs, Stream } from '../src/camera'
import { link } from '../src/state'
import { PretendSocket, pretendSockets } from './sockets'

let stream: Stream
let canvas: HTMLCanvasElement
let stop: () => void
let painted: number
let decoded: () => void
let closed: number
let visibility: DocumentVisibilityState

beforeEach(() => {
  vi.useFakeTimers()
  vi.setSystemTime(1_700_000_000_000)
  pretendSockets()
  painted = closed = 0
  visibility = 'visible'
  vi.spyOn(document, 'visibilityState', 'get').mockImplementation(() => visibility)
  vi.stubGlobal('createImageBitmap', () => new Promise((resolve) => {
    decoded = () => resolve({ width: 640, height: 480, close: () => closed++ })
  }))
  stream = new Stream(2)
  canvas = document.createElement('canvas')
  canvas.getContext = (() => ({ drawImage: () => painted++ })) as unknown as typeof canvas.getContext
  stop = stream.watch(canvas)
  PretendSocket.newest.open()
})

afterEach(() => {
  stop()
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

function frame(seq: number, takenMs: number): ArrayBuffer {
  const data = new ArrayBuffer(32)
  const v = new DataView(data)
  v.setUint8(0, 2)
  v.setUint32(24, 4)
  v.setUint32(4, seq)
  v.setBigInt64(8, BigInt(takenMs))
  return data
}

const said = () => PretendSocket.newest.sent.map((text) => JSON.parse(text) as { ack?: number; got?: number })
const acks = () => said().flatMap(({ ack }) => ack ?? [])
const receive = (seq: number, takenMs = Date.now()) => PretendSocket.newest.onmessage?.({ data: frame(seq, takenMs) })
const paint = async () => {
  decoded()
  await vi.advanceTimersByTimeAsync(0)
}

it('asks for the first frame, and for the next after painting', async () => {
  expect(acks()).toEqual([0])
  receive(7)
  await vi.advanceTimersByTimeAsync(500)
  expect(acks()).toEqual([0])
  await paint()
  expect(painted).toBe(1)
  expect(acks()).toEqual([0, 7])
  expect(stream.shown.value).toMatchObject({ seq: 7, width: 640, height: 480, stale: false })
})

it('never goes back to an older picture, also when that took longer to decode', async () => {
  receive(7)
  const old = decoded
  receive(8)
  await paint()
  old()
  await vi.advanceTimersByTimeAsync(0)
  expect(stream.shown.value?.seq).toBe(8)
  expect([painted, closed]).toEqual([1, 1])
  expect(acks()).toEqual([0, 8])
  stop()
  expect(closed).toBe(2)
})

it('several canvases of one camera share a socket, which another camera does not', () => {
  const other = document.createElement('canvas')
  const stopOther = stream.watch(other)
  expect(PretendSocket.all.map(({ url }) => url.replace(/.*(?=\/v1)/, ''))).toEqual(['/v1/camera?id=2'])
  stop()
  expect(PretendSocket.newest.readyState).toBe(1)
  stopOther()
  expect(PretendSocket.newest.readyState).toBe(3)
  const stopSide = new Stream(1).watch(canvas)
  expect(PretendSocket.newest.url).toContain('/v1/camera?id=1')
  stopSide()
})

it('counts what comes', async () => {
  receive(7)
  await paint()
  expect(stream.meter.perMinute(Date.now())).toBe(32 * 12) // in the first seconds as in five
  stop()
  expect(stream.meter.perMinute(Date.now())).toBe(0)
})

it('a hidden page asks for nothing, and goes on when looked at', async () => {
  receive(7)
  visibility = 'hidden'
  await paint()
  expect(acks()).toEqual([0])
  visibility = 'visible'
  document.dispatchEvent(new Event('visibilitychange'))
  expect(acks()).toEqual([0, 7])
})

it("knows a picture's age by layerd's clock", async () => {
  receive(7, link.clock.now() - 300)
  await paint()
  await vi.advanceTimersByTimeAsync(2000)
  expect(ageMs(stream.shown.value!)).toBe(2300)
})

it('leaves a dead connection when pictures should come', async () => {
  receive(7)
  await paint()
  await vi.advanceTimersByTimeAsync(9000)
  stream.nudge(true)
  expect(PretendSocket.all).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(2000)
  stream.nudge(false) // the camera itself is down: nothing to gain
  expect(PretendSocket.newest.readyState).toBe(1)
  stream.nudge(true)
  await vi.advanceTimersByTimeAsync(1000)
  expect(PretendSocket.all).toHaveLength(2)
})

it('forgets the picture when nobody looks any more', async () => {
  receive(7)
  await paint()
  stop()
  expect(stream.shown.value).toBeNull()
  expect(PretendSocket.newest.readyState).toBe(3)
})
