// One layer from above, on a 2D canvas: what lies up to the point that is shown in colour, the rest faint. A big layer is drawn in slices, so
// that nothing else waits.
import { css, feature, onRamp, travelColour, type ColourBy, type Palette } from './colours'
import { extrudes, type Layer } from './decode'
import { same, type View } from './hand'

export interface Bed { left: number; front: number; width: number; depth: number; circle: boolean } // mm

/** What a print covers, in mm. */
export interface Cover { readonly low: readonly [x: number, y: number]; readonly high: readonly [x: number, y: number] }

/** What is to be seen. */
export interface FlatLook {
  layer: Layer
  upTo: number // point
  by: ColourBy
  palette: Palette
  heightPart: number // of this layer in the whole, 0 to 1
  travel: boolean
  dark: boolean
}

const slice = 12_000 // lines that are drawn at once
const lineMM = 0.42

export class FlatView implements View {
  private readonly pen: CanvasRenderingContext2D
  private look: FlatLook | null = null
  private center = { x: 0, y: 0 } // mm
  private scale = 1 // px to a mm
  private fit = 1
  private asked = 0
  private moved = false // by a hand: from then on it stays as it is
  private readonly resized = new ResizeObserver(() => this.refit())
  private readonly ended = new AbortController()

  /** cover: what the print covers as far as it is known, in mm. drawn hears when a picture is complete. */
  constructor(private readonly canvas: HTMLCanvasElement, private readonly cover: Cover, private readonly bed: Bed, private readonly drawn: () => void) {
    const pen = canvas.getContext('2d')
    if (!pen) throw new Error('no 2D canvas')
    this.pen = pen
    this.resized.observe(canvas)
    canvas.addEventListener('contextrestored', () => this.draw(), { signal: this.ended.signal }) // phones take it while the page is hidden
  }

  end(): void {
    this.ended.abort()
    this.resized.disconnect()
    cancelAnimationFrame(this.asked)
  }

  show(look: FlatLook): void {
    if (same(this.look, look)) return
    this.look = look
    this.refit()
  }

  drag(dx: number, dy: number): void {
    this.pan(dx, dy)
  }

  pan(dx: number, dy: number): void {
    this.moved = true
    this.center = { x: this.center.x - dx / this.scale, y: this.center.y + dy / this.scale }
    this.draw()
  }

  zoom(factor: number, x: number, y: number): void {
    const scale = Math.max(this.fit / 2, Math.min(this.fit * 60, 200, this.scale * factor))
    this.moved = true
    const [dx, dy] = [x - this.canvas.clientWidth / 2, y - this.canvas.clientHeight / 2]
    this.center.x += dx / this.scale - dx / scale
    this.center.y -= dy / this.scale - dy / scale
    this.scale = scale
    this.draw()
  }

  whole(): void {
    this.moved = false
    this.refit()
  }

  private refit(): void {
    if (!this.moved) {
      const { clientWidth: w, clientHeight: h } = this.canvas
      const { left, front, width, depth } = this.bed
      const known = this.cover.low[0] <= this.cover.high[0]
      const [x0, y0] = known ? this.cover.low : [left, front]
      const [x1, y1] = known ? this.cover.high : [left + width, front + depth]
      this.center = { x: (x0 + x1) / 2, y: (y0 + y1) / 2 }
      this.fit = this.scale = 0.92 * Math.min(w / Math.max(x1 - x0, 1), h / Math.max(y1 - y0, 1))
    }
    this.draw()
  }

  private draw(): void {
    cancelAnimationFrame(this.asked)
    this.asked = requestAnimationFrame(() => this.begin())
  }

  private begin(): void {
    const { canvas, pen, look } = this
    const dots = Math.min(devicePixelRatio || 1, 2) // more cannot be seen, and costs a phone its smoothness
    const [w, h] = [Math.round(canvas.clientWidth * dots), Math.round(canvas.clientHeight * dots)]
    if (w === 0 || h === 0) return
    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w
      canvas.height = h
    }
    pen.setTransform(1, 0, 0, 1, 0, 0)
    pen.clearRect(0, 0, w, h)
    const s = this.scale * dots
    pen.setTransform(s, 0, 0, -s, w / 2 - this.center.x * s, h / 2 + this.center.y * s) // from now on in mm
    pen.lineCap = 'round'
    this.ground(1 / s)
    if (!look) return this.drawn()
    const width = Math.max(lineMM, 1.1 / this.scale)
    const steps = [...this.strokes(look, width)]
    const next = (): void => {
      const until = performance.now() + 12
      while (steps.length > 0 && performance.now() < until) steps.shift()!()
      if (steps.length > 0) this.asked = requestAnimationFrame(next)
      else this.drawn()
    }
    next()
  }

  /** The bed, with a line each 10 mm. */
  private ground(dot: number): void {
    const { pen, bed } = this
    pen.lineWidth = dot
    pen.strokeStyle = this.token('--line')
    pen.beginPath()
    if (bed.circle) pen.ellipse(bed.left + bed.width / 2, bed.front + bed.depth / 2, bed.width / 2, bed.depth / 2, 0, 0, 2 * Math.PI)
    else {
      for (let x = 0; x <= bed.width; x += 10) pen.rect(bed.left + x, bed.front, 0, bed.depth)
      for (let y = 0; y <= bed.depth; y += 10) pen.rect(bed.left, bed.front + y, bed.width, 0)
    }
    pen.stroke()
  }

  /** What is to be drawn, in pieces: the rest, travel, then each colour. */
  private *strokes(look: FlatLook, width: number): Generator<() => void> {
    const { layer, upTo, by, palette } = look
    const faint = this.token('--line-strong')
    for (let from = upTo + 1; from < layer.count; from += slice) {
      yield () => this.lines(layer, from, Math.min(from + slice, layer.count), faint, width * 0.7, (i) => (layer.kind[i]! & extrudes) !== 0, 0.4)
    }
    if (look.travel) {
      for (let from = 1; from <= upTo; from += slice) {
        yield () => this.lines(layer, from, Math.min(from + slice, upTo + 1), css(travelColour), Math.max(width / 4, 0.8 / this.scale), (i) => (layer.kind[i]! & extrudes) === 0, 0.8)
      }
    }
    for (let from = 1; from <= upTo; from += slice) {
      const to = Math.min(from + slice, upTo + 1)
      const colours = new Map<string, Set<number>>() // colour → the kinds or speeds that have it
      for (let i = from; i < to; i++) {
        if (!(layer.kind[i]! & extrudes)) continue
        const value = by === 'speed' ? layer.speed[i]! : layer.kind[i]!
        const colour = by === 'feature' ? css(feature(value).colour) : css(onRamp(by === 'speed' ? Math.round(palette.pace(value) * 24) / 24 : look.heightPart))
        const have = colours.get(colour)
        if (have) have.add(value)
        else colours.set(colour, new Set([value]))
      }
      for (const [colour, values] of colours) {
        yield () => this.lines(layer, from, to, colour, width, (i) => (layer.kind[i]! & extrudes) !== 0 && values.has(by === 'speed' ? layer.speed[i]! : layer.kind[i]!), 1)
      }
    }
    if (upTo > 0 && upTo < layer.count - 1) yield () => this.head(layer.x[upTo]! / 100, layer.y[upTo]! / 100)
  }

  private lines(layer: Layer, from: number, to: number, colour: string, width: number, which: (i: number) => boolean, alpha: number): void {
    const { pen } = this
    pen.globalAlpha = alpha
    pen.strokeStyle = colour
    pen.lineWidth = width
    pen.beginPath()
    let joined = false
    for (let i = from; i < to; i++) {
      const drawn = which(i)
      if (drawn && !joined) pen.moveTo(layer.x[i - 1]! / 100, layer.y[i - 1]! / 100)
      if (drawn) pen.lineTo(layer.x[i]! / 100, layer.y[i]! / 100)
      joined = drawn
    }
    pen.stroke()
    pen.globalAlpha = 1
  }

  /** Where the nozzle is. */
  private head(x: number, y: number): void {
    const { pen } = this
    const r = 6 / this.scale
    pen.beginPath()
    pen.arc(x, y, r, 0, 2 * Math.PI)
    pen.lineWidth = r / 2
    pen.strokeStyle = this.token('--surface')
    pen.fillStyle = this.token('--text')
    pen.stroke()
    pen.fill()
  }

  /** One of tokens.css, which differ in the dark. */
  private token(name: string): string {
    return getComputedStyle(this.canvas).getPropertyValue(name).trim() || 'gray'
  }
}
