// Where the viewer gets its layers: layerd, in ranges, as they are looked at. What was looked at last is kept, up to a bound.
import { fileURL, refusal, unreachable } from '../api'
import { readIndex, readLayers, type Index, type Layer } from './decode'

const block = 8 // layers that are asked for together: the next ones are wanted soon
const keptPoints = 400_000 // some 20 bytes each

export class Source {
  private readonly kept = new Map<number, Layer>() // the newest last
  private points = 0

  private constructor(private readonly url: string, readonly index: Index) {}

  static async open(path: string, signal: AbortSignal): Promise<Source> {
    const url = fileURL(path).replace('/v1/files/', '/v1/toolpaths/')
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
    const from = n - (n % block)
    let { layers } = await this.ask(from, from + block, 1, signal)
    if (!layers.some((l) => l.n === n)) ({ layers } = await this.ask(n, n + 1, 1, signal)) // those before it filled the answer
    const found = layers.find((l) => l.n === n)
    if (!found) throw unreachable()
    for (const l of layers) this.keep(l)
    this.keep(found)
    return found
  }

  /** Every step-th layer from below, some at a time, until it was all or take says false. */
  async all(step: number, signal: AbortSignal, take: (layers: Layer[], done: number) => boolean): Promise<void> {
    for (let from = 0; from < this.layers;) {
      const { layers, next } = await this.ask(from, this.layers, step, signal)
      from = next > from ? next : this.layers
      if (!take(layers, from / this.layers)) return
    }
  }

  private async ask(from: number, to: number, step: number, signal: AbortSignal): Promise<{ layers: Layer[]; next: number }> {
    const url = `${this.url}?from=${from}&to=${Math.min(to, this.layers)}&step=${step}&v=${this.index.sha256.slice(0, 16)}`
    return readLayers(await fetchBytes(url, signal), this.index)
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
