// Where the viewer gets its layers: layerd, in ranges, as they are looked at. What was looked at last is kept, up to a bound.
import { fileURL, refusal, unreachable } from '../api'
import { extrudes, featureOf, readIndex, readLayers, type Index, type Layer } from './decode'

const block = 8 // layers that are asked for together: the next ones are wanted soon
const ownCode = 14 // the feature
const keptPoints = 400_000 // some 20 bytes each

export class Source {
  private readonly kept = new Map<number, Layer>() // the newest last
  private points = 0
  /** What the layers that came so far cover, in mm, without the slicer's own lines beside the print; Infinity while it is nothing. */
  readonly low: [x: number, y: number] = [Infinity, Infinity]
  readonly high: [x: number, y: number] = [-Infinity, -Infinity]

  private constructor(private readonly url: string, readonly index: Index) {}

  /** arcs: of the copy with arcs that is printed. */
  static async open(path: string, signal: AbortSignal, arcs = false): Promise<Source> {
    const url = fileURL(path).replace('/v1/files/', '/v1/toolpaths/') + (arcs ? '?arcs=1' : '')
    return new Source(url, readIndex(await fetchBytes(url, signal)))
  }

  get layers(): number {
    return this.index.line.length
  }

  has(n: number): Layer | undefined {
    return this.kept.get(n)
  }

  /** One layer, from memory when it is there. */
  async layer(n: number, signal: AbortSignal): Promise<Layer> {
    const had = this.kept.get(n)
    if (had) {
      this.keep(had)
      return had
    }
    const take = (layers: Layer[]): boolean => {
      for (const l of layers) this.keep(l)
      return true
    }
    const from = n - (n % block)
    await this.ask(from, from + block, 1, signal, take)
    if (!this.kept.has(n)) await this.ask(n, n + 1, 1, signal, take) // those before it filled the answer
    const found = this.kept.get(n)
    if (!found) throw unreachable()
    this.keep(found)
    return found
  }

  /** Every step-th layer from below, some at a time, until it was all or take says false. */
  async all(step: number, signal: AbortSignal, take: (layers: Layer[], done: number) => boolean): Promise<void> {
    for (let from = 0; from < this.layers;) {
      let more = true
      const next = await this.ask(from, this.layers, step, signal, (layers) => (more = take(layers, ((layers.at(-1)?.n ?? from) + 1) / this.layers)))
      if (!more) return
      from = next > from ? next : this.layers
    }
    take([], 1)
  }

  /** Gives take what an answer has, as much at once as is read in a moment, until it says false; returns with which to go on. */
  private async ask(from: number, to: number, step: number, signal: AbortSignal, take: (layers: Layer[]) => boolean): Promise<number> {
    const url = `${this.url}${this.url.endsWith('?arcs=1') ? '&' : '?'}from=${from}&to=${Math.min(to, this.layers)}&step=${step}&v=${this.index.sha256.slice(0, 16)}`
    const each = readLayers(await fetchBytes(url, signal), this.index)
    for (;;) {
      const some: Layer[] = []
      const until = performance.now() + 8
      let one = each.next()
      for (; !one.done; one = performance.now() < until ? each.next() : { done: true, value: -1 }) {
        this.measure(one.value)
        some.push(one.value)
      }
      if (!take(some) || one.value >= 0) return one.value
      await new Promise((on) => setTimeout(on, 0))
      signal.throwIfAborted()
    }
  }

  private measure({ x, y, kind, count }: Layer): void {
    let [left, front, right, back] = [Infinity, Infinity, -Infinity, -Infinity]
    for (let i = 1; i < count; i++) {
      const k = kind[i]!
      if (!(k & extrudes) || featureOf(k) === ownCode) continue
      left = Math.min(left, x[i]!, x[i - 1]!)
      right = Math.max(right, x[i]!, x[i - 1]!)
      front = Math.min(front, y[i]!, y[i - 1]!)
      back = Math.max(back, y[i]!, y[i - 1]!)
    }
    this.low[0] = Math.min(this.low[0], left / 100)
    this.low[1] = Math.min(this.low[1], front / 100)
    this.high[0] = Math.max(this.high[0], right / 100)
    this.high[1] = Math.max(this.high[1], back / 100)
  }

  private keep(layer: Layer): void {
    if (!this.kept.delete(layer.n)) this.points += layer.count
    this.kept.set(layer.n, layer)
    for (const [n, old] of this.kept) {
      if (this.points <= keptPoints || n === layer.n) return
      this.kept.delete(n)
      this.points -= old.count
    }
  }
}

async function fetchBytes(url: string, signal: AbortSignal): Promise<Uint8Array> {
  let response: Response
  let body: ArrayBuffer
  try {
    response = await fetch(url, { credentials: 'same-origin', signal })
    body = await response.arrayBuffer()
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof TypeError || error instanceof DOMException ? unreachable() : error
  }
  if (!response.ok) throw refusal(response.status, new TextDecoder().decode(body))
  return new Uint8Array(body)
}
