// Fingers, mouse and keys on a picture: what they do to its view. zoom.ts has the geometry.
//
//	two fingers       enlarge and move            one finger, mouse   move what is enlarged; else the page scrolls
//	double tap        twice the size, and back    wheel               enlarge, where the page has no use for it
//	+ - 0, arrows     the same by key             Escape              the whole picture again
import { bounded, panned, pinched, toggled, whole, zoomed, type Point, type View } from '../zoom'

const tapMs = 300
const tapSlop = 12 // px that a finger may move in a tap
const doubleSlop = 40 // … and between the two of a double tap
const keyZoom = 1.5
const keyPan = 60 // px

export class Gestures {
  private view: View = whole
  private readonly fingers = new Map<number, Point>()
  private began: { at: Point; ms: number } | null = null // what may still become a tap
  private tapped: { at: Point; ms: number } | null = null
  private readonly resized = new ResizeObserver(() => this.show(this.view))
  private readonly ended = new AbortController()

  /** full: the picture fills the screen, so that the wheel has nothing else to do. told hears of each new scale. */
  constructor(private readonly frame: HTMLElement, private readonly canvas: HTMLCanvasElement, private readonly full: boolean, private readonly told: (scale: number) => void) {
    const on = { signal: this.ended.signal }
    frame.addEventListener('pointerdown', this.down, on)
    frame.addEventListener('pointermove', this.move, on)
    frame.addEventListener('pointerup', this.up, on)
    frame.addEventListener('pointercancel', this.lost, on)
    frame.addEventListener('touchmove', this.touched, { ...on, passive: false })
    frame.addEventListener('wheel', this.wheeled, { ...on, passive: false })
    frame.addEventListener('keydown', this.pressed, on)
    this.resized.observe(frame)
  }

  end(): void {
    this.ended.abort()
    this.resized.disconnect()
    this.show(whole)
  }

  /** Enlarges around the middle. */
  by(factor: number): void {
    this.show(zoomed(this.view, factor, { x: this.frame.clientWidth / 2, y: this.frame.clientHeight / 2 }))
  }

  reset(): void {
    this.show(whole)
  }

  private show(view: View): void {
    const was = this.view.scale
    this.view = bounded(view, { width: this.frame.clientWidth, height: this.frame.clientHeight }, this.canvas)
    const { scale, x, y } = this.view
    this.canvas.style.transform = scale === 1 ? '' : `translate(${x}px, ${y}px) scale(${scale})`
    this.frame.toggleAttribute('data-zoomed', scale > 1) // lets a finger move the picture instead of the page
    if (scale !== was) this.told(scale)
  }

  private point(event: MouseEvent): Point {
    const box = this.frame.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }

  private readonly down = (event: PointerEvent): void => {
    if (event.button !== 0 || (event.target as Element).closest('button')) return
    const at = this.point(event)
    this.fingers.set(event.pointerId, at)
    this.began = this.fingers.size === 1 ? { at, ms: event.timeStamp } : null
    this.frame.setPointerCapture(event.pointerId)
  }

  private readonly move = (event: PointerEvent): void => {
    const from = this.fingers.get(event.pointerId)
    if (!from) return
    const to = this.point(event)
    this.fingers.set(event.pointerId, to)
    if (this.began && apart(this.began.at, to) > tapSlop) this.began = null
    const [other] = [...this.fingers].flatMap(([id, at]) => (id === event.pointerId ? [] : [at]))
    if (other) this.show(pinched(this.view, [from, other], [to, other]))
    else if (this.view.scale > 1) this.show(panned(this.view, { x: to.x - from.x, y: to.y - from.y }))
  }

  private readonly up = (event: PointerEvent): void => {
    const { began, tapped } = this
    this.lost(event)
    if (!began || event.timeStamp - began.ms > tapMs) return
    if (tapped && event.timeStamp - tapped.ms < 2 * tapMs && apart(tapped.at, began.at) < doubleSlop) {
      this.tapped = null
      this.show(toggled(this.view, began.at))
    } else {
      this.tapped = { at: began.at, ms: event.timeStamp }
    }
  }

  private readonly lost = (event: PointerEvent): void => {
    this.fingers.delete(event.pointerId)
    this.began = null
  }

  // A browser that has begun to scroll would take the fingers away from here.
  private readonly touched = (event: TouchEvent): void => {
    if (event.cancelable && (event.touches.length > 1 || this.view.scale > 1)) event.preventDefault()
  }

  // A pinch on a touchpad comes as a wheel with Control.
  private readonly wheeled = (event: WheelEvent): void => {
    if (!this.full && !event.ctrlKey && this.view.scale === 1) return
    event.preventDefault()
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1
    this.show(zoomed(this.view, Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.002)), this.point(event)))
  }

  private readonly pressed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return // the browser's own
    const { scale } = this.view
    if (event.key === '+' || event.key === '=') this.by(keyZoom)
    else if (event.key === '-') this.by(1 / keyZoom)
    else if (event.key === '0') this.reset()
    else if (scale === 1) return
    else if (event.key === 'Escape') this.reset()
    else if (arrows[event.key]) this.show(panned(this.view, arrows[event.key]!))
    else return
    event.preventDefault()
  }
}

const arrows: Record<string, Point> = { ArrowLeft: { x: keyPan, y: 0 }, ArrowRight: { x: -keyPan, y: 0 }, ArrowUp: { x: 0, y: keyPan }, ArrowDown: { x: 0, y: -keyPan } }

const apart = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y)
