// The objects of a file: got by the parts of the page that show them. This file is no part of the first load.
import { get } from './api'
import { list, num, object, orNull, str, type Of, type Read } from './read'

const pair: Read<readonly [number, number]> = (v, at) => {
  const [x, y] = list(num)(v, at)
  return [x ?? 0, y ?? 0] as const
}

const space: Read<readonly [number, number, number]> = (v, at) => {
  const [x, y, z] = list(num)(v, at)
  return [x ?? 0, y ?? 0, z ?? 0] as const
}
const printed = object({
  name: str, id: str, extent_mm: orNull(object({ min: space, max: space })), center_mm: orNull(pair), polygon_mm: list(pair), time_s: num, filament_mm: num, line: num, offset: num, end: num,
})

/** GET /v1/objects/PATH. */
export const readObjects = object({ objects: list(printed) })

export type PrintedObject = Of<typeof printed>

type Placed = Pick<PrintedObject, 'extent_mm' | 'polygon_mm'>

/** The objects of a file, by their numbers. */
export const getObjects = (path: string): Promise<Of<typeof readObjects>> => get(`/v1/objects/${path.split('/').map(encodeURIComponent).join('/')}`, readObjects)

/** Its outline on the bed, as points of an SVG whose y grows downwards: what the slicer says, else its bounds. "" when nothing of it is printed. */
export function outline({ polygon_mm, extent_mm: box }: Placed): string {
  const corners = polygon_mm.length > 2 ? polygon_mm : box ? [box.min, [box.max[0], box.min[1]], box.max, [box.min[0], box.max[1]]] as const : []
  return corners.map(([x, y]) => `${x},${-y}`).join(' ')
}

/** How wide and deep it is, in mm. */
export const spread = ({ extent_mm: box }: Placed): readonly [number, number] => box ? [box.max[0] - box.min[0], box.max[1] - box.min[1]] : [0, 0]

/** The middle of its place on the bed. */
export function middle({ extent_mm: box, polygon_mm }: Placed): { x: number; y: number } {
  const points = box ? [box.min, box.max] : polygon_mm
  const xs = points.map((p) => p[0]), ys = points.map((p) => p[1])
  return points.length > 0 ? { x: (Math.min(...xs) + Math.max(...xs)) / 2, y: -(Math.min(...ys) + Math.max(...ys)) / 2 } : { x: 0, y: 0 }
}
