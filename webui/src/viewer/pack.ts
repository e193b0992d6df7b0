// Lines as the graphics chip takes them: 16 bytes each, from a layer's points.
import { features } from './colours'
import { extrudes, featureOf, type Layer } from './decode'

export const stride = 16 // bytes: two places of three int16 in units of 0.02 mm, kind, speed, two of nothing
const unit = 50 // to a mm
export const travelKind = 31
export const gridKind = 30

/** Lines as the shader takes them. */
export class Packed {
  private readonly bytes: Uint8Array
  count = 0
  private readonly shorts: Int16Array

  constructor(most: number, private readonly middle: readonly [number, number, number]) {
    this.bytes = new Uint8Array(most * stride)
    this.shorts = new Int16Array(this.bytes.buffer)
  }

  /** What was packed so far. */
  get filled(): Uint8Array {
    return this.bytes.subarray(0, this.count * stride)
  }

  /** All lines of a layer; returns how many there are up to its end. */
  layer(l: Layer): number {
    const [mx, my] = [this.middle[0] * 100, this.middle[1] * 100]
    const { bytes, shorts } = this
    for (let i = 1; i < l.count; i++) {
      const at = this.count++ * (stride / 2)
      shorts[at] = short((l.x[i - 1]! - mx) / 2)
      shorts[at + 1] = short((l.y[i - 1]! - my) / 2)
      shorts[at + 2] = short(l.z[i - 1]! / 2)
      shorts[at + 3] = short((l.x[i]! - mx) / 2)
      shorts[at + 4] = short((l.y[i]! - my) / 2)
      shorts[at + 5] = short(l.z[i]! / 2)
      const kind = l.kind[i]!
      const known = featureOf(kind) < features.length ? featureOf(kind) : 0
      bytes[at * 2 + 12] = kind & extrudes ? known : travelKind
      bytes[at * 2 + 13] = packSpeed(l.speed[i]!)
    }
    return this.count
  }

  line(a: readonly number[], b: readonly number[], kind: number, speed: number): void {
    const at = this.count++ * (stride / 2)
    for (let i = 0; i < 3; i++) {
      this.shorts[at + i] = short((a[i]! - this.middle[i]!) * unit)
      this.shorts[at + 3 + i] = short((b[i]! - this.middle[i]!) * unit)
    }
    this.bytes[at * 2 + 12] = kind
    this.bytes[at * 2 + 13] = speed
  }
}

const short = (v: number): number => Math.max(-32_768, Math.min(32_767, Math.round(v)))
export const packSpeed = (mmS: number): number => (Number.isFinite(mmS) ? Math.min(255, mmS >> 1) : 0)
