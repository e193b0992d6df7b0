// The viewer's parts that need no screen. The golden files are written by the tests of gcode/toolpath.go.
import { readFileSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import { Refused } from '../src/api'
import { onRamp, Palette, ramp } from '../src/viewer/colours'
import { BadPath, extrudes, lastUpTo, readIndex, readLayers, type Layer } from '../src/viewer/decode'
import { Eye } from '../src/viewer/eye'
import { Source } from '../src/viewer/source'

const golden = (name: string): Uint8Array => new Uint8Array(readFileSync(`../gcode/testdata/toolpath_${name}.bin`))
const index = readIndex(golden('index'))

function layersOf(data: Uint8Array): { layers: Layer[]; next: number } {
  const each = readLayers(data, index)
  const layers: Layer[] = []
  for (let one = each.next(); ; one = each.next()) {
    if (one.done) return { layers, next: one.value }
    layers.push(one.value)
  }
}

const words = (l: Layer, i: number): string => `${l.x[i]},${l.y[i]},${l.z[i]} ${(l.kind[i]! & extrudes) !== 0} ${l.kind[i]! & 0x1f} ${l.speed[i]} @${l.line[i]}`

test('the index says where the layers are', () => {
  expect(index.sha256).toBe('0102feff' + '0'.repeat(56))
  expect([...index.line]).toEqual([1, 21, 31])
  expect([...index.zMM].map((z) => z.toFixed(1))).toEqual(['0.2', '0.4', '0.6'])
  expect(index.lines).toBe(36)
  expect(index.high[0]).toBeCloseTo(40)
})

test('layers are as the Go tests have them: relative moves, G92, inches, homing, and lines', () => {
  const { layers, next } = layersOf(golden('layers'))
  expect(next).toBe(3)
  expect(layers.map((l) => l.n)).toEqual([0, 1, 2])
  const [first, second, third] = layers as [Layer, Layer, Layer]
  expect([0, 1, 2, 3, 4, 5, 6].map((i) => words(first, i))).toEqual([
    '0,0,0 false 0 0 @1', '0,0,20 false 14 10 @5', '1000,1000,20 false 14 100 @6', '2000,1000,20 true 14 20 @7',
    '2000,2000,20 true 1 30 @12', '1000,2000,20 true 1 30 @13', '1000,3000,20 false 1 100 @15',
  ])
  expect(words(first, first.count - 1)).toBe('2200,4200,20 true 5 40 @20')
  expect([...second.x.keys()].map((i) => words(second, i))).toEqual(['2200,4200,20 false 0 0 @21', '2200,4200,40 false 5 10 @22', '2000,4200,40 true 6 30 @24', '2500,4200,40 true 6 30 @27', '4540,4200,40 true 6 25 @29'])
  expect([...third.x.keys()].map((i) => words(third, i))).toEqual(['4540,4200,40 false 0 0 @31', '0,4200,40 false 0 0 @32', '0,4200,60 false 6 10 @33', '3000,4700,60 false 6 10 @34', '4000,4700,60 true 6 10 @36'])
})

test('a curve is points on its circle, all of its line', () => {
  const [first] = layersOf(golden('layers')).layers as [Layer]
  const points = [...first.line.keys()].filter((i) => first.line[i] === 17)
  expect(points.length).toBeGreaterThan(20)
  for (const i of points) expect(Math.abs(Math.hypot(first.x[i]! - 2000, first.y[i]! - 3000) - 1000)).toBeLessThan(1.5)
})

test('whatever is cut off or made up is refused, and ends', () => {
  for (const name of ['layers', 'index']) {
    const whole = golden(name)
    for (let n = 0; n < whole.length; n++) {
      expect(() => (name === 'index' ? readIndex(whole.subarray(0, n)) : layersOf(whole.subarray(0, n))), `${name}, ${n} bytes`).toThrow(BadPath)
    }
  }
  expect(() => layersOf(new Uint8Array([2, 76, 0, 0]))).toThrow(BadPath)
  expect(() => layersOf(new Uint8Array([1, 76, 9, 4, 0, 0, 0, 0]))).toThrow(BadPath) // a layer that is none
  expect(() => layersOf(new Uint8Array([1, 76, 1, 9, 0, 0, 0, 0, 0x20, 2, 255, 255, 3]))).toThrow(BadPath) // more points than bytes
  let seed = 7
  const random = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648)
  for (let i = 0; i < 3000; i++) {
    const data = golden('layers')
    for (let k = 0; k < 3; k++) data[2 + (random() % (data.length - 2))] = random() % 256
    try {
      layersOf(data)
    } catch (error) {
      expect(error).toBeInstanceOf(BadPath)
    }
  }
})

test('the last number up to another', () => {
  const sorted = new Uint32Array([1, 4, 4, 9])
  expect([0, 1, 3, 4, 8, 9, 99].map((v) => lastUpTo(sorted, v))).toEqual([-1, 0, 0, 2, 2, 3, 3])
})

test('colours', () => {
  expect([onRamp(-1), onRamp(0.25), onRamp(2)]).toEqual([ramp[0], ramp[1], ramp[4]])
  const palette = new Palette()
  for (const l of layersOf(golden('layers')).layers) palette.add(l)
  expect([...palette.found].sort((a, b) => a - b)).toEqual([1, 5, 6, 14])
  expect([palette.slowest, palette.fastest, palette.pace(25)]).toEqual([10, 40, 0.5])
})

test('the eye sees all of the print until a hand has moved it', () => {
  const eye = new Eye()
  eye.cover([0, 0, 0], [10, 10, 10])
  const near = eye.frame(1)
  eye.cover([0, 0, 0], [100, 100, 100])
  const distance = (at: readonly number[]): number => Math.hypot(...at.map((v) => v - 50))
  expect(distance(eye.frame(1).at)).toBeGreaterThan(100)
  eye.turn(40, 0)
  const was = eye.frame(1)
  eye.cover([0, 0, 0], [10, 10, 10])
  expect(eye.frame(1).at).toEqual(was.at)
  eye.whole()
  expect(eye.frame(1)).toEqual(near)
  const { right, up, ahead } = was
  for (const [a, b, dot] of [[right, up, 0], [up, ahead, 0], [right, ahead, 0], [up, up, 1]] as const) expect(a.reduce((sum, v, i) => sum + v * b[i]!, 0)).toBeCloseTo(dot)
})

/** layerd as far as a Source knows it; each request is written down. */
function answering(asked: string[], layers: (query: URLSearchParams) => Uint8Array): void {
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    asked.push(url.replace('/v1/toolpaths/', ''))
    init.signal?.throwIfAborted()
    const query = new URL(url, 'http://x').searchParams
    return new Response(query.has('from') ? layers(query) as BodyInit : golden('index') as BodyInit)
  })
}
afterEach(() => vi.unstubAllGlobals())

test('layers that were got are not asked for again, and those around come with them', async () => {
  const asked: string[] = []
  answering(asked, () => golden('layers'))
  const source = await Source.open('a b/c.gcode', new AbortController().signal)
  expect((await source.layer(2, new AbortController().signal)).n).toBe(2)
  expect((await source.layer(0, new AbortController().signal)).n).toBe(0)
  expect(asked).toEqual(['a%20b/c.gcode', 'a%20b/c.gcode?from=0&to=3&step=1&v=0102feff00000000'])
  expect([...source.low, ...source.high].map(Math.round)).toEqual([10, 10, 45, 47]) // without the slicer's own lines
})

test('all layers come until it was enough', async () => {
  const asked: string[] = []
  answering(asked, () => golden('layers'))
  const source = await Source.open('c.gcode', new AbortController().signal)
  const got: number[] = []
  let last = 0
  await source.all(1, new AbortController().signal, (layers, done) => {
    got.push(...layers.map((l) => l.n))
    last = done
    return true
  })
  expect([got, last]).toEqual([[0, 1, 2], 1])
  await source.all(2, new AbortController().signal, () => false)
  expect(asked.slice(1).map((url) => url.split('?')[1])).toEqual(['from=0&to=3&step=1&v=0102feff00000000', 'from=0&to=3&step=2&v=0102feff00000000'])
})

test('what fails is said in layerd’s words, and who is gone is told nothing', async () => {
  vi.stubGlobal('fetch', async () => new Response('{"error":{"code":"other_file","message":"This file was replaced by another.","next":"Open it again.","warnings":[],"problems":[]}}', { status: 409 }))
  await expect(Source.open('c.gcode', new AbortController().signal)).rejects.toThrow('This file was replaced by another.')
  vi.stubGlobal('fetch', async () => { throw new TypeError('network') })
  await expect(Source.open('c.gcode', new AbortController().signal)).rejects.toBeInstanceOf(Refused)
  await expect(Source.open('c.gcode', AbortSignal.abort())).rejects.toHaveProperty('name', 'AbortError')
})
