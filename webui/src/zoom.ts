// How a picture is enlarged in its frame. A view says where the frame's own point p is seen: at (x + scale · p.x, y + scale · p.y). At scale 1 the whole
// picture is seen, as big as it fits, with bars at two sides where the frame has another shape.

export interface Point { x: number; y: number }
export interface Size { width: number; height: number }
export interface View extends Point { scale: number }

export const whole: View = { scale: 1, x: 0, y: 0 }
export const maxScale = 8

/** The view nearest to this one in which the picture fills the frame, or, along a side where it is too small for that, stands in the middle. */
export function bounded(view: View, frame: Size, picture: Size): View {
  const scale = Math.min(maxScale, Math.max(1, view.scale))
  if (scale === 1) return whole
  const fit = Math.min(frame.width / picture.width, frame.height / picture.height)
  return {
    scale,
    x: along(view.x, scale, frame.width, picture.width * fit),
    y: along(view.y, scale, frame.height, picture.height * fit),
  }
}

/** One side: at is the frame's corner, seen the frame's length, long the picture's at scale 1, in the middle of the frame. */
function along(at: number, scale: number, seen: number, long: number): number {
  const bar = (seen - long) / 2
  if (long * scale <= seen) return (seen - seen * scale) / 2
  return Math.min(-bar * scale, Math.max(seen - (bar + long) * scale, at))
}

/** Enlarged by a factor, with what is under the point staying there. */
export function zoomed(view: View, factor: number, under: Point): View {
  const scale = Math.min(maxScale, Math.max(1, view.scale * factor))
  const by = scale / view.scale
  return { scale, x: under.x - (under.x - view.x) * by, y: under.y - (under.y - view.y) * by }
}

export function panned(view: View, by: Point): View {
  return { ...view, x: view.x + by.x, y: view.y + by.y }
}

/** Two fingers have moved: what was under each stays under it, as far as a picture that does not turn can do that. */
export function pinched(view: View, from: readonly [Point, Point], to: readonly [Point, Point]): View {
  const was = middle(from)
  const is = middle(to)
  const factor = apart(to) / Math.max(1, apart(from))
  return panned(zoomed(view, factor, was), { x: is.x - was.x, y: is.y - was.y })
}

/** A double tap: in to twice the size at that point, and back. */
export function toggled(view: View, at: Point): View {
  return view.scale > 1 ? whole : zoomed(view, 2, at)
}

const middle = ([a, b]: readonly [Point, Point]): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 })
const apart = ([a, b]: readonly [Point, Point]): number => Math.hypot(a.x - b.x, a.y - b.y)
