// Layers as layerd sends them: docs/PROTOCOL.md, Toolpaths, has the form; gcode/testdata/toolpath_*.bin are read by the tests of both sides.

/** Where the layers of a file are. Lengths in mm, lines from 1. */
export interface Index {
  sha256: string
  bytes: number
  lines: number
  low: Place // bounds of what is extruded
  high: Place
  heightMM: number // of a usual layer, 0 unknown
  line: Uint32Array // the first line of each layer
  zMM: Float32Array // its height; 0 unknown
}

export type Place = readonly [x: number, y: number, z: number]

/** One layer: point 0 is where the head is at its beginning, and each other the end of a straight line. Places in 1/100 mm. */
export interface Layer {
  n: number // from 0
  cut: boolean // it has more, which is not shown
  count: number
  x: Int32Array
  y: Int32Array
  z: Int32Array
  kind: Uint8Array // feature, and `extrudes`
  speed: Uint16Array // mm/s
  line: Uint32Array
}

export const extrudes = 0x20
export const featureOf = (kind: number): number => kind & 0x1f

const rises = 0x40
const hasSpeed = 0x80
const version = 1

export class BadPath extends Error {}

/** Reads bytes; beyond the end it throws. */
class Reader {
  at = 0
  constructor(readonly data: Uint8Array, public end = data.length) {}

  byte(): number {
    if (this.at >= this.end) throw new BadPath('it ends too early')
    return this.data[this.at++]!
  }

  /** A varint up to 2^53. Few are longer than a byte. */
  count(): number {
    let b = this.byte()
    let v = b & 0x7f
    for (let unit = 128; b >= 128; unit *= 128) {
      if (unit > 2 ** 49) throw new BadPath('a number is too long')
      b = this.byte()
      v += (b & 0x7f) * unit
    }
    return v
  }

  signed(): number {
    const v = this.count()
    return v % 2 === 0 ? v / 2 : -(v + 1) / 2
  }

  head(kind: string): void {
    if (this.byte() !== version || this.byte() !== kind.charCodeAt(0)) throw new BadPath('it is of another version')
  }
}

export function readIndex(data: Uint8Array): Index {
  const r = new Reader(data)
  r.head('I')
  let sha256 = ''
  for (let i = 0; i < 32; i++) sha256 += r.byte().toString(16).padStart(2, '0')
  const [bytes, lines] = [r.count(), r.count()]
  const place = (): Place => [r.signed() / 100, r.signed() / 100, r.signed() / 100]
  const [low, high] = [place(), place()]
  const heightMM = r.count() / 1000
  const layers = r.count()
  if (layers < 1 || layers > data.length) throw new BadPath('it has too many layers')
  const line = new Uint32Array(layers)
  const zMM = new Float32Array(layers)
  for (let i = 0, l = 0, z = 0; i < layers; i++) {
    r.count() // the offset, which matters to layerd alone
    line[i] = l += r.count()
    zMM[i] = (z += r.signed()) / 1000
  }
  return { sha256, bytes, lines, low, high, heightMM, line, zMM }
}

/** Reads an answer, layer for layer; returns with which to go on. */
export function* readLayers(data: Uint8Array, index: Index): Generator<Layer, number> {
  const r = new Reader(data)
  r.head('L')
  for (;;) {
    const n = r.count() - 1
    if (n < 0) return r.count()
    const size = r.count()
    const end = r.at + size
    if (end > data.length || n >= index.line.length) throw new BadPath('a layer is too long')
    const one = new Reader(data, end)
    one.at = r.at
    yield readLayer(one, n, index.line[n]!)
    r.at = end
  }
}

function readLayer(r: Reader, n: number, firstLine: number): Layer {
  const most = ((r.end - r.at) >> 1) + 1 // a point takes two bytes
  const x = new Int32Array(most)
  const y = new Int32Array(most)
  const z = new Int32Array(most)
  const kinds = new Uint8Array(most)
  const speeds = new Uint16Array(most)
  const lines = new Uint32Array(most)
  const cut = (r.byte() & 1) !== 0
  let [px, py, pz, speed, line, count] = [r.signed(), r.signed(), r.signed(), 0, firstLine, 1]
  x[0] = px
  y[0] = py
  z[0] = pz
  lines[0] = line
  while (r.at < r.end) {
    const kind = r.byte()
    const gap = r.count()
    const step = gap % 2 === 1 ? 0 : 1
    if (kind & rises) pz += r.signed()
    if (kind & hasSpeed) speed = Math.min(r.count(), 0xffff)
    const points = r.count()
    if (count + points > most) throw new BadPath('a run is too long')
    line += Math.floor(gap / 2) - step
    for (const behind = count + points; count < behind; count++) {
      x[count] = px += r.signed()
      y[count] = py += r.signed()
      z[count] = pz
      kinds[count] = kind & (0x1f | extrudes)
      speeds[count] = speed
      lines[count] = line += step
    }
  }
  const fit = <T extends Int32Array | Uint8Array | Uint16Array | Uint32Array>(a: T): T => a.slice(0, count) as T
  return { n, cut, count, x: fit(x), y: fit(y), z: fit(z), kind: fit(kinds), speed: fit(speeds), line: fit(lines) }
}

/** The last of sorted numbers that is not greater; -1 when all are. */
export function lastUpTo(sorted: Uint32Array, value: number): number {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (sorted[middle]! <= value) from = middle + 1
    else to = middle
  }
  return from - 1
}
