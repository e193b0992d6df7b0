// Fingers, mouse and keys on a drawing, as moves of its view.
//
//	one finger, mouse      turn (3D), move (2D)        two fingers     enlarge and move
//	wheel                  enlarge                     Shift or right  move (3D)
//	arrows, + - 0          the same by key             double tap      the whole again

export interface View {
  drag(dx: number, dy: number): void // px
  pan(dx: number, dy: number): void
  zoom(factor: number, x: number, y: number): void // around a point
  whole(): void
}

/** Whether two looks are the same: what is on the screen needs not be drawn again. */
export function same<T extends object>(a: T | null, b: T): boolean {
  return a !== null && (Object.keys(b) as (keyof T)[]).every((key) => a[key] === b[key])
}

interface Point { x: number; y: number }

const keyStep = 40 // px
const tapMs = 300
const tapSlop = 10 // px

/** Lets a hand move a view; returns what ends that. */
export function listen(on: HTMLElement, view: () => View | null): () => void {
  const ended = new AbortController()
  const fingers = new Map<number, Point>()
  let tap = { at: 0, x: 0, y: 0, moved: false, before: 0 }
  const point = (event: MouseEvent): Point => {
    const box = on.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }
  const add = <K extends keyof HTMLElementEventMap>(name: K, f: (event: HTMLElementEventMap[K]) => void): void =>
    on.addEventListener(name, f, { signal: ended.signal, passive: false })

  add('pointerdown', (event) => {
    on.setPointerCapture(event.pointerId)
    fingers.set(event.pointerId, point(event))
    tap = { ...point(event), at: event.timeStamp, moved: fingers.size > 1, before: tap.moved ? 0 : tap.at }
  })
  add('pointermove', (event) => {
    const from = fingers.get(event.pointerId)
    const to = point(event)
    if (!from) return
    fingers.set(event.pointerId, to)
    if (Math.hypot(to.x - tap.x, to.y - tap.y) > tapSlop) tap.moved = true
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1]
    const [dx, dy] = [to.x - from.x, to.y - from.y]
    if (other) {
      // Both fingers report by themselves: each moves the middle by half of what it has moved.
      view()?.pan(dx / 2, dy / 2)
      view()?.zoom(apart(other, to) / Math.max(1, apart(other, from)), (other.x + to.x) / 2, (other.y + to.y) / 2)
    } else if (event.shiftKey || event.buttons & 2) view()?.pan(dx, dy)
    else view()?.drag(dx, dy)
  })
  const lift = (event: PointerEvent): void => {
    fingers.delete(event.pointerId)
    if (event.type !== 'pointerup' || tap.moved || event.timeStamp - tap.at > tapMs) tap.moved = true
    else if (tap.before && tap.at - tap.before < 2 * tapMs) view()?.whole()
  }
  add('pointerup', lift)
  add('pointercancel', lift)
  add('contextmenu', (event) => event.preventDefault())
  add('wheel', (event) => {
    event.preventDefault()
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1
    const { x, y } = point(event)
    view()?.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), x, y)
  })
  add('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const [x, y] = [on.clientWidth / 2, on.clientHeight / 2]
    const arrow = arrows[event.key]
    if (arrow && event.shiftKey) view()?.pan(arrow.x, arrow.y)
    else if (arrow) view()?.drag(arrow.x, arrow.y)
    else if (event.key === '+' || event.key === '=') view()?.zoom(1.4, x, y)
    else if (event.key === '-') view()?.zoom(1 / 1.4, x, y)
    else if (event.key === '0') view()?.whole()
    else return
    event.preventDefault()
  })
  return () => ended.abort()
}

const arrows: Record<string, Point> = { ArrowLeft: { x: keyStep, y: 0 }, ArrowRight: { x: -keyStep, y: 0 }, ArrowUp: { x: 0, y: keyStep }, ArrowDown: { x: 0, y: -keyStep } }

const apart = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y)
