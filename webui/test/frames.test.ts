// A frame's pieces, put together again.
import { describe, expect, it } from 'vitest'
import { Incoming } from '../src/frames'
import { frameHeader } from '../src/wire'

function begin(bytes: number, jpeg: number[], change: (v: DataView) => void = () => undefined): ArrayBuffer {
  const data = new ArrayBuffer(frameHeader + jpeg.length)
  const v = new DataView(data)
  v.setUint8(0, 2)
  v.setUint8(1, 3)
  v.setUint16(2, 1)
  v.setUint32(4, 4_000_000_000)
  v.setBigInt64(8, 1_795_348_800_123n)
  v.setUint16(16, 1280)
  v.setUint16(18, 720)
  v.setUint32(20, 130)
  v.setUint32(24, bytes)
  new Uint8Array(data, frameHeader).set(jpeg)
  change(v)
  return data
}
const more = (...jpeg: number[]) => new Uint8Array(jpeg).buffer

describe('Incoming', () => {
  it('reads a frame of one piece, and the next', () => {
    const incoming = new Incoming()
    const frame = incoming.take(begin(2, [0xff, 0xd8]))
    expect(frame).toMatchObject({ camera: 3, stale: true, smaller: false, seq: 4_000_000_000, takenMs: 1_795_348_800_123, width: 1280, height: 720, ageMs: 130 })
    expect([...(frame?.jpeg ?? [])]).toEqual([0xff, 0xd8])
    expect(incoming.take(begin(1, [7], (v) => v.setUint16(2, 2)))).toMatchObject({ stale: false, smaller: true })
    expect(incoming.got).toBe(2 * frameHeader + 3)
  })

  it('puts pieces together, and counts each as it comes', () => {
    const incoming = new Incoming()
    expect(incoming.take(begin(5, [1, 2]))).toBeNull()
    expect(incoming.got).toBe(frameHeader + 2)
    expect(incoming.take(more(3, 4))).toBeNull()
    expect([...(incoming.take(more(5))?.jpeg ?? [])]).toEqual([1, 2, 3, 4, 5])
    expect(incoming.got).toBe(frameHeader + 5)
  })

  it('refuses what is no frame', () => {
    expect(() => new Incoming().take(new ArrayBuffer(frameHeader))).toThrow(`${frameHeader} bytes`)
    expect(() => new Incoming().take(begin(1, [1], (v) => v.setUint8(0, 1)))).toThrow('version 1')
    expect(() => new Incoming().take(begin(1 << 30, [1]))).toThrow('1073741824 bytes')
    expect(() => new Incoming().take(begin(1, [1, 2]))).toThrow('longer')
    const incoming = new Incoming()
    incoming.take(begin(3, [1]))
    expect(() => incoming.take(more(2, 3, 4))).toThrow('longer')
  })
})
