// Many layers in space, by WebGL 2. Each straight line is one instance of a ribbon that always faces the eye and is shaded like a thread: four corners, made
// by the vertex shader from 16 bytes.
//
//	layers ─▶ pack ─▶ one buffer for each answer of layerd ─▶ as many instances of it as are up to the layer that is shown
import { features, ramp, travelColour, type ColourBy, type Colour, type Palette } from './colours'
import { extrudes, featureOf, type Layer } from './decode'
import { Eye } from './eye'
import type { Bed } from './flat'
import type { View } from './hand'
import { fragment, vertex } from './shaders'

const stride = 16 // bytes: two places of three int16 in units of 0.02 mm, kind, speed, two of nothing
const unit = 50 // to a mm
const travelKind = 31
const gridKind = 30

/** What is to be seen. */
export interface SolidLook {
  top: number // this layer is the last
  part: Layer | null // that layer, for what of it is drawn
  upTo: number // point of it
  by: ColourBy
  palette: Palette
  travel: boolean
  step: number // every so many layers are there
  dark: boolean
}

interface Chunk {
  buffer: WebGLBuffer
  ends: { n: number; count: number }[] // of each layer, how many lines there are up to its end
}

export class SolidView implements View {
  readonly eye: Eye
  lines = 0 // of all chunks
  private readonly gl: WebGL2RenderingContext
  private readonly program: WebGLProgram
  private readonly chunks: Chunk[] = []
  private readonly grid: Chunk
  private readonly part: WebGLBuffer
  private partOf: Layer | null = null
  private look: SolidLook | null = null
  private asked = 0
  private coarse = 1 // while it is moved: every so-many-th line
  private lastFrame = 0
  private settle = 0
  private readonly places = new Map<string, WebGLUniformLocation | null>()
  private readonly resized = new ResizeObserver(() => this.draw())
  private readonly middle: readonly [number, number, number]

  constructor(private readonly canvas: HTMLCanvasElement, low: readonly number[], private readonly high: readonly number[], bed: Bed, private readonly heightMM: number, private readonly drawn: (lines: number) => void, lost: () => void) {
    const gl = canvas.getContext('webgl2', { alpha: true, antialias: true, powerPreference: 'low-power' })
    if (!gl) throw new Error('no WebGL')
    this.gl = gl
    this.program = link(gl)
    this.middle = [(low[0]! + high[0]!) / 2, (low[1]! + high[1]!) / 2, 0]
    this.eye = new Eye([low[0]! - this.middle[0], low[1]! - this.middle[1], 0], [high[0]! - this.middle[0], high[1]! - this.middle[1], high[2]!])
    this.grid = this.gridOf(bed)
    this.part = gl.createBuffer()
    this.resized.observe(canvas)
    canvas.addEventListener('webglcontextlost', (event) => {
      event.preventDefault()
      lost()
    })
  }

  end(): void {
    this.resized.disconnect()
    cancelAnimationFrame(this.asked)
    clearTimeout(this.settle)
    for (const { buffer } of [...this.chunks, this.grid]) this.gl.deleteBuffer(buffer)
    this.gl.deleteBuffer(this.part)
    this.gl.getExtension('WEBGL_lose_context')?.loseContext()
  }

  add(layers: readonly Layer[]): void {
    const most = layers.reduce((sum, l) => sum + l.count - 1, 0)
    const packed = new Packed(most, this.middle)
    const ends = layers.map((l) => ({ n: l.n, count: packed.layer(l) }))
    const { gl } = this
    const buffer = gl.createBuffer()
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer)
    gl.bufferData(gl.ARRAY_BUFFER, packed.bytes.subarray(0, packed.count * stride), gl.STATIC_DRAW)
    this.chunks.push({ buffer, ends })
    this.lines += packed.count
    this.draw()
  }

  show(look: SolidLook): void {
    this.look = look
    this.draw()
  }

  drag(dx: number, dy: number): void {
    this.eye.turn(dx, dy)
    this.moved()
  }

  pan(dx: number, dy: number): void {
    this.eye.pan(dx, dy, this.canvas.clientHeight)
    this.moved()
  }

  zoom(factor: number, x: number, y: number): void {
    this.eye.zoom(factor)
    void [x, y] // it goes to what the eye looks at
    this.moved()
  }

  whole(): void {
    this.eye.whole()
    this.draw()
  }

  /** While it is moved it is drawn as coarsely as makes it smooth, and wholly when it stands still. */
  private moved(): void {
    const now = performance.now()
    if (now - this.lastFrame > 70 && now - this.lastFrame < 1000 && this.lines > 20_000) this.coarse = Math.min(8, this.coarse * 2)
    clearTimeout(this.settle)
    this.settle = window.setTimeout(() => {
      const was = this.coarse
      this.coarse = 1
      if (was > 1) this.draw()
    }, 250)
    this.draw()
  }

  private draw(): void {
    if (this.asked) return
    this.asked = requestAnimationFrame(() => {
      this.asked = 0
      this.frame()
    })
  }

  private frame(): void {
    const { gl, canvas, look } = this
    const dots = Math.min(devicePixelRatio || 1, 2)
    const [w, h] = [Math.round(canvas.clientWidth * dots), Math.round(canvas.clientHeight * dots)]
    if (w === 0 || h === 0 || !look || gl.isContextLost()) return
    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w
      canvas.height = h
    }
    this.lastFrame = performance.now()
    gl.viewport(0, 0, w, h)
    gl.clearColor(0, 0, 0, 0)
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT)
    gl.enable(gl.DEPTH_TEST)
    gl.useProgram(this.program)
    this.uniforms(look, w / h)
    this.ribbons(this.grid.buffer, this.grid.ends[0]!.count, 1)
    let lines = 0
    const below = look.part ? look.top - 1 : look.top // the last layer is drawn by itself, up to its point
    for (const { buffer, ends } of this.chunks) {
      const count = ends.findLast(({ n }) => n <= below)?.count ?? 0
      lines += this.ribbons(buffer, count, this.coarse)
    }
    if (look.part) lines += this.drawPart(look.part, look.upTo)
    this.drawn(lines)
  }

  private drawPart(layer: Layer, upTo: number): number {
    const { gl } = this
    if (this.partOf !== layer) {
      this.partOf = layer
      const packed = new Packed(layer.count - 1, this.middle)
      packed.layer(layer)
      gl.bindBuffer(gl.ARRAY_BUFFER, this.part)
      gl.bufferData(gl.ARRAY_BUFFER, packed.bytes, gl.DYNAMIC_DRAW)
    }
    return this.ribbons(this.part, upTo, 1)
  }

  private uniforms(look: SolidLook, aspect: number): void {
    const { gl, eye } = this
    const set = (name: string, ...v: number[]): void => {
      const at = this.place(name)
      if (v.length === 1) gl.uniform1f(at, v[0]!)
      else if (v.length === 2) gl.uniform2f(at, v[0]!, v[1]!)
      else gl.uniform3f(at, v[0]!, v[1]!, v[2]!)
    }
    const { at, right, up, ahead, focal, near, far } = eye.frame(aspect)
    set('eye', ...at)
    set('right', ...right)
    set('up', ...up)
    set('ahead', ...ahead)
    set('lens', focal / Math.max(aspect, 1e-6), focal)
    set('range', near, far)
    set('thick', Math.max(0.22, (this.heightMM || 0.2) * Math.min(look.step, 6) * 0.55))
    set('by', look.by === 'feature' ? 0 : look.by === 'speed' ? 1 : 2)
    set('speeds', packSpeed(look.palette.slowest), packSpeed(look.palette.fastest))
    set('top', Math.max(this.high[2]!, 0.01))
    set('travel', look.travel ? 1 : 0)
    const colours: Colour[] = features.map((f) => f.colour)
    colours[travelKind] = travelColour
    colours[gridKind] = look.dark ? [58, 70, 74] : [200, 208, 204]
    gl.uniform3fv(this.place('colours'), flat(colours, 32))
    gl.uniform3fv(this.place('ramp'), flat(ramp, ramp.length))
  }

  private place(name: string): WebGLUniformLocation | null {
    if (!this.places.has(name)) this.places.set(name, this.gl.getUniformLocation(this.program, name))
    return this.places.get(name) ?? null
  }

  /** Draws count lines of a buffer, or every so-many-th. */
  private ribbons(buffer: WebGLBuffer, count: number, every: number): number {
    const { gl } = this
    const instances = Math.floor(count / every)
    if (instances === 0) return 0
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer)
    for (const [i, size, type, at] of [[0, 3, gl.SHORT, 0], [1, 3, gl.SHORT, 6], [2, 2, gl.UNSIGNED_BYTE, 12]] as const) {
      gl.enableVertexAttribArray(i)
      gl.vertexAttribPointer(i, size, type, false, stride * every, at)
      gl.vertexAttribDivisor(i, 1)
    }
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, instances)
    return instances
  }

  private gridOf(bed: Bed): Chunk {
    const packed = new Packed(200, this.middle)
    const z = -0.3
    for (let x = 0; x <= bed.width && packed.count < 100; x += 10) packed.line([bed.left + x, bed.front, z], [bed.left + x, bed.front + bed.depth, z], gridKind, 0)
    for (let y = 0; y <= bed.depth && packed.count < 200; y += 10) packed.line([bed.left, bed.front + y, z], [bed.left + bed.width, bed.front + y, z], gridKind, 0)
    const buffer = this.gl.createBuffer()
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, buffer)
    this.gl.bufferData(this.gl.ARRAY_BUFFER, packed.bytes, this.gl.STATIC_DRAW)
    return { buffer, ends: [{ n: 0, count: packed.count }] }
  }
}

/** Lines as the shader takes them. */
class Packed {
  readonly bytes: Uint8Array
  count = 0
  private readonly shorts: Int16Array

  constructor(most: number, private readonly middle: readonly [number, number, number]) {
    this.bytes = new Uint8Array(most * stride)
    this.shorts = new Int16Array(this.bytes.buffer)
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
const packSpeed = (mmS: number): number => (Number.isFinite(mmS) ? Math.min(255, mmS >> 1) : 0)
const flat = (colours: readonly (Colour | undefined)[], count: number): Float32Array => {
  const out = new Float32Array(count * 3)
  colours.forEach((c, i) => c && out.set(c.map((v) => v / 255), i * 3))
  return out
}

function link(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram()
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(type)
    if (!shader) throw new Error('no shader')
    gl.shaderSource(shader, source)
    gl.compileShader(shader)
    gl.attachShader(program, shader)
  }
  ;['a', 'b', 'info'].forEach((name, i) => gl.bindAttribLocation(program, i, name))
  gl.linkProgram(program)
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(`the shaders do not work here: ${gl.getProgramInfoLog(program) ?? ''}`)
  return program
}
