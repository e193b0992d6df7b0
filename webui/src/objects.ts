// The objects of a file: got by the parts of the page that show them. This file is no part of the first load.
import { get } from './api'
import { bool, list, num, object, or, str, type Of, type Read } from './read'

const pair: Read<readonly [number, number]> = (v, at) => {
  const [x, y] = list(num)(v, at)
  return [x ?? 0, y ?? 0] as const
}

const printed = object({ name: str, id: str, min: pair, max: pair, polygon: or(list(pair), []), printed: bool })

/** GET /v1/objects/PATH. */
export const readObjects = object({ objects: list(printed) })

export type PrintedObject = Of<typeof printed>

/** The objects of a file, by their numbers. */
export const getObjects = (path: string): Promise<Of<typeof readObjects>> => get(`/v1/objects/${path.split('/').map(encodeURIComponent).join('/')}`, readObjects)

/** Its outline on the bed, as points of an SVG whose y grows downwards: what the slicer says, else its bounds. "" when nothing of it is printed. */
export function outline(o: Pick<PrintedObject, 'min' | 'max' | 'polygon' | 'printed'>): string {
  const corners = o.polygon.length > 2 ? o.polygon : o.printed ? [o.min, [o.max[0], o.min[1]], o.max, [o.min[0], o.max[1]]] as const : []
  return corners.map(([x, y]) => `${x},${-y}`).join(' ')
}

/** The middle of its place on the bed. */
export function middle(o: Pick<PrintedObject, 'min' | 'max' | 'polygon' | 'printed'>): { x: number; y: number } {
  if (o.printed || o.polygon.length === 0) return { x: (o.min[0] + o.max[0]) / 2, y: -(o.min[1] + o.max[1]) / 2 }
  const xs = o.polygon.map((p) => p[0]), ys = o.polygon.map((p) => p[1])
  return { x: (Math.min(...xs) + Math.max(...xs)) / 2, y: -(Math.min(...ys) + Math.max(...ys)) / 2 }
}
