// Many layers in space, by WebGL 2. Each straight line is one instance of a ribbon that always faces the eye and is shaded like a thread: four corners, made
// by the vertex shader from 16 bytes.
//
//	layers ─▶ Packed ─▶ waits for a frame in which the chip is idle ─▶ a buffer ─▶ pieces to be drawn ─▶ each frame takes as many as are drawn in a moment
//
// A picture comes in passes, each with lines of all layers, so that the first shows the whole shape and nothing waits for the last. How many lines make a
// pass is found out by how long frames take.
import { features, ramp, travelColour, type ColourBy, type Colour, type Palette } from './colours'
import type { Layer } from './decode'
import { Eye } from './eye'
import type { Bed, Cover } from './flat'
import { same, type View } from './hand'
import { gridKind, Packed, packSpeed, stride, travelKind } from './pack'
import { fragment, vertex } from './shaders'

const maxPasses = 15 // WebGL skips at most 255 bytes
const upload = 1 << 20 // bytes that a frame gives the graphics chip: more would have to wait for it

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

/** Lines that are still to be drawn: every so-many-th of a buffer. */
interface Piece { buffer: WebGLBuffer; from: number; every: number; count: number }

interface Chunk {
  buffer: WebGLBuffer
  ends: { n: number; count: number }[] // of each layer, how many lines there are up to its end
}

export class SolidView implements View {
  private readonly eye = new Eye()
  lines = 0 // of all chunks
  private readonly gl: WebGL2RenderingContext
  private program: WebGLProgram | null = null // begun by the first frame: not all at once
  private readonly compiling: { COMPLETION_STATUS_KHR: number } | null
  private linked = false
  private readonly chunks: Chunk[] = []
  private waiting: { bytes: Uint8Array; ends: Chunk['ends'] }[] = [] // lines that the graphics chip does not have yet
  private readonly grid: Chunk
  private readonly part: WebGLBuffer
  private partOf: Layer | null = null
  private look: SolidLook | null = null
  private asked = 0
  private pieces: Piece[] = []
  private fresh = true // the next frame begins a picture
  private pace = 4000 // lines in a frame
  private begun = 0 // the last frame, ms
  private fence: WebGLSync | null = null // the graphics chip has not done that yet
  private least = Infinity // ms that a frame took
  private slow = false // without a graphics chip: fewer dots
  private shown = 0 // lines of this picture
  private readonly places = new Map<string, WebGLUniformLocation | null>()
  private readonly resized = new ResizeObserver(() => this.draw())
  private readonly ended = new AbortController()
  private readonly middle: readonly [number, number, number]

  constructor(private readonly canvas: HTMLCanvasElement, private readonly cover: Cover, private readonly topMM: number, bed: Bed, private readonly heightMM: number, private readonly drawn: (lines: number, all: boolean) => void, private readonly lost: (back: boolean) => void) {
    // What was drawn stays, so that more can be drawn over it.
    const gl = canvas.getContext('webgl2', { alpha: true, antialias: devicePixelRatio < 2, preserveDrawingBuffer: true, powerPreference: 'low-power' })
    if (!gl) throw new Error('no WebGL')
    this.gl = gl
    this.compiling = gl.getExtension('KHR_parallel_shader_compile')
    this.middle = [bed.left + bed.width / 2, bed.front + bed.depth / 2, 0]
    this.grid = this.gridOf(bed)
    this.part = gl.createBuffer()
    this.resized.observe(canvas)
    canvas.addEventListener('webglcontextlost', (event) => {
      event.preventDefault() // else it never comes back
      lost(false)
    }, { signal: this.ended.signal })
    canvas.addEventListener('webglcontextrestored', () => lost(true), { signal: this.ended.signal })
  }

  end(): void {
    this.ended.abort()
    this.resized.disconnect()
    cancelAnimationFrame(this.asked)
    for (const { buffer } of [...this.chunks, this.grid]) this.gl.deleteBuffer(buffer)
    this.gl.deleteBuffer(this.part)
    this.gl.getExtension('WEBGL_lose_context')?.loseContext()
  }

  add(layers: readonly Layer[]): void {
    const most = layers.reduce((sum, l) => sum + l.count - 1, 0)
    const packed = new Packed(most, this.middle)
    const ends = layers.map((l) => ({ n: l.n, count: packed.layer(l) }))
    this.waiting.push({ bytes: packed.filled, ends })
    this.lines += packed.count
    if (this.look) this.ask()
  }

  show(look: SolidLook): void {
    if (same(this.look, look)) return
    this.look = look
    this.draw()
  }

  drag(dx: number, dy: number): void {
    this.eye.turn(dx, dy)
    this.draw()
  }

  pan(dx: number, dy: number): void {
    this.eye.pan(dx, dy, this.canvas.clientHeight)
    this.draw()
  }

  zoom(factor: number, x: number, y: number): void {
    this.eye.zoom(factor)
    void [x, y] // it goes to what the eye looks at
    this.draw()
  }

  whole(): void {
    this.eye.whole()
    this.draw()
  }

  /** Begins the picture anew. */
  private draw(): void {
    this.fresh = true
    this.drawn(0, false)
    this.ask()
  }

  private ask(): void {
    if (this.asked) return
    this.asked = requestAnimationFrame((now) => {
      this.asked = 0
      this.frame(now)
    })
  }

  private frame(now: number): void {
    const { gl, look } = this
    if (!look || gl.isContextLost()) return
    if (!this.ready()) return this.ask()
    if (this.fence) {
      if (gl.getSyncParameter(this.fence, gl.SYNC_STATUS) !== gl.SIGNALED) return this.ask() // it is still at the last frame
      gl.deleteSync(this.fence)
      this.fence = null
      this.learn(now - this.begun)
    }
    this.upload(look)
    if (this.fresh && !this.begin(look)) return
    let left = this.pace
    while (left > 0 && this.pieces.length > 0) {
      const piece = this.pieces.shift()!
      left -= this.ribbons(piece)
      this.shown += piece.count
    }
    const all = this.pieces.length === 0 && this.waiting.length === 0
    this.drawn(this.shown, all)
    this.begun = now
    if (all) return
    this.fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0)
    gl.flush()
    this.ask()
  }

  /** Gives the graphics chip some of the lines that wait. */
  private upload(look: SolidLook): void {
    const { gl } = this
    for (let sent = 0; sent < upload && this.waiting.length > 0;) {
      const { bytes, ends } = this.waiting.shift()!
      const buffer = gl.createBuffer()
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer)
      gl.bufferData(gl.ARRAY_BUFFER, bytes, gl.STATIC_DRAW)
      const chunk = { buffer, ends }
      this.chunks.push(chunk)
      sent += bytes.length
      if (this.eye.moved) this.pieces.push(...cut({ buffer, from: 0, every: 1, count: this.upToTop(chunk, look) }, this.pace))
      else this.fresh = true // it goes back as the print grows
    }
  }

  /** Finds out how many lines a frame bears, from the ms that the last one took. Where showing any picture takes long, fewer lines would not help. */
  private learn(took: number): void {
    this.least = Math.min(this.least, took)
    if (took < Math.max(25, this.least * 1.3)) this.pace = Math.min(this.pace * 2, 2_000_000)
    else if (took > Math.max(60, this.least * 2)) this.pace = Math.max(this.pace / 2, 2000)
    this.slow ||= this.least > 80
  }

  /** Clears the picture, and says what is to be drawn in it; false while it has no size. */
  private begin(look: SolidLook): boolean {
    const { gl, canvas } = this
    const dots = this.slow ? 1 : Math.min(devicePixelRatio || 1, 2)
    const [w, h] = [Math.round(canvas.clientWidth * dots), Math.round(canvas.clientHeight * dots)]
    if (w === 0 || h === 0) return false
    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w
      canvas.height = h
    }
    this.fresh = false
    this.shown = 0
    const { low, high } = this.cover
    const [mx, my] = this.middle
    if (low[0] <= high[0]) this.eye.cover([low[0] - mx, low[1] - my, 0], [high[0] - mx, high[1] - my, this.topMM])
    gl.viewport(0, 0, w, h)
    gl.clearColor(0, 0, 0, 0)
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT)
    gl.enable(gl.DEPTH_TEST)
    gl.useProgram(this.program)
    this.uniforms(look, w / h)
    this.ribbons({ buffer: this.grid.buffer, from: 0, every: 1, count: this.grid.ends[0]!.count })
    const counts = this.chunks.map((chunk) => this.upToTop(chunk, look))
    const passes = Math.min(maxPasses, Math.max(1, Math.ceil(counts.reduce((sum, n) => sum + n, 0) / this.pace)))
    this.pieces = look.part ? cut(this.pieceOf(look.part, look.upTo), this.pace) : []
    for (let pass = 0; pass < passes; pass++) {
      this.chunks.forEach(({ buffer }, i) => this.pieces.push({ buffer, from: pass, every: passes, count: Math.floor((counts[i]! - pass + passes - 1) / passes) }))
    }
    return true
  }

  /** How many lines of a chunk lie below the last layer, which is drawn by itself, up to its point. */
  private upToTop({ ends }: Chunk, look: SolidLook): number {
    const below = look.part ? look.top - 1 : look.top
    return ends.findLast(({ n }) => n <= below)?.count ?? 0
  }

  /** Whether the shaders are there: compiling them may take a second. */
  private ready(): boolean {
    const { gl } = this
    if (this.linked) return true
    if (!this.program) {
      this.program = link(gl)
      return false
    }
    const { program } = this
    if (this.compiling && !gl.getProgramParameter(program, this.compiling.COMPLETION_STATUS_KHR)) return false
    this.linked = Boolean(gl.getProgramParameter(program, gl.LINK_STATUS))
    if (!this.linked) {
      console.warn(gl.getProgramInfoLog(program))
      this.lost(false)
      this.look = null
    }
    return this.linked
  }

  private pieceOf(layer: Layer, upTo: number): Piece {
    const { gl } = this
    if (this.partOf !== layer) {
      this.partOf = layer
      const packed = new Packed(layer.count - 1, this.middle)
      packed.layer(layer)
      gl.bindBuffer(gl.ARRAY_BUFFER, this.part)
      gl.bufferData(gl.ARRAY_BUFFER, packed.filled, gl.DYNAMIC_DRAW)
    }
    return { buffer: this.part, from: 0, every: 1, count: upTo }
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
    set('top', Math.max(this.topMM, 0.01))
    set('travel', look.travel ? 1 : 0)
    const colours: Colour[] = features.map((f) => f.colour)
    colours[travelKind] = travelColour
    colours[gridKind] = look.dark ? [58, 70, 74] : [200, 208, 204]
    gl.uniform3fv(this.place('colours'), flat(colours, 32))
    gl.uniform3fv(this.place('ramp'), flat(ramp, ramp.length))
  }

  private place(name: string): WebGLUniformLocation | null {
    if (!this.places.has(name)) this.places.set(name, this.gl.getUniformLocation(this.program!, name))
    return this.places.get(name) ?? null
  }

  private ribbons({ buffer, from, every, count }: Piece): number {
    const { gl } = this
    if (count <= 0) return 0
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer)
    for (const [i, size, type, at] of [[0, 3, gl.SHORT, 0], [1, 3, gl.SHORT, 6], [2, 2, gl.UNSIGNED_BYTE, 12]] as const) {
      gl.enableVertexAttribArray(i)
      gl.vertexAttribPointer(i, size, type, false, stride * every, from * stride + at)
      gl.vertexAttribDivisor(i, 1)
    }
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, count)
    return count
  }

  private gridOf(bed: Bed): Chunk {
    const packed = new Packed(200, this.middle)
    const z = -0.3
    for (let x = 0; x <= bed.width && packed.count < 100; x += 10) packed.line([bed.left + x, bed.front, z], [bed.left + x, bed.front + bed.depth, z], gridKind, 0)
    for (let y = 0; y <= bed.depth && packed.count < 200; y += 10) packed.line([bed.left, bed.front + y, z], [bed.left + bed.width, bed.front + y, z], gridKind, 0)
    const buffer = this.gl.createBuffer()
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, buffer)
    this.gl.bufferData(this.gl.ARRAY_BUFFER, packed.filled, this.gl.STATIC_DRAW)
    return { buffer, ends: [{ n: 0, count: packed.count }] }
  }
}

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
  return program
}

/** A piece in pieces of at most so many lines. */
function cut(piece: Piece, most: number): Piece[] {
  const out: Piece[] = []
  for (let done = 0; done < piece.count; done += most) out.push({ ...piece, from: piece.from + done * piece.every, count: Math.min(most, piece.count - done) })
  return out
}
