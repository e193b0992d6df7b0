// A picture that is enlarged never leaves its frame, and what is under a finger stays there.
import { expect, it } from 'vitest'
import { bounded, maxScale, panned, pinched, toggled, whole, zoomed, type Point, type View } from '../src/zoom'

const frame = { width: 400, height: 200 }
const wide = { width: 1600, height: 800 }
const tall = { width: 300, height: 600 } // 100 × 200 in the frame, with bars of 150

/** Which of the frame's own points is seen there. */
const under = (view: View, at: Point): Point => ({ x: (at.x - view.x) / view.scale, y: (at.y - view.y) / view.scale })

it.each([0.1, 0.5, 1, 1.5, 2, 8, 80])('keeps the point under the cursor at a factor of %d', (factor) => {
  const at = { x: 300, y: 50 }
  const view = { scale: 1.5, x: -80, y: -40 }
  const after = zoomed(view, factor, at)
  expect(after.scale).toBe(Math.min(maxScale, Math.max(1, 1.5 * factor)))
  expect(under(after, at).x).toBeCloseTo(under(view, at).x)
  expect(under(after, at).y).toBeCloseTo(under(view, at).y)
})

it('never shows what is beside the picture', () => {
  for (const [x, y] of [[0, 0], [999, 999], [-999, -999], [-150, 30]] as const) {
    const view = bounded({ scale: 2, x, y }, frame, wide)
    expect(under(view, { x: 0, y: 0 }).x).toBeGreaterThanOrEqual(0)
    expect(under(view, { x: 0, y: 0 }).y).toBeGreaterThanOrEqual(0)
    expect(under(view, { x: 400, y: 200 }).x).toBeLessThanOrEqual(400)
    expect(under(view, { x: 400, y: 200 }).y).toBeLessThanOrEqual(200)
  }
})

it('a picture narrower than its frame stands in the middle until it is as wide', () => {
  expect(bounded({ scale: 2, x: -999, y: 0 }, frame, tall).x).toBe(-200) // 200 of 400 wide: from 100 to 300
  const view = bounded({ scale: 5, x: 999, y: 0 }, frame, tall) // 500 wide
  expect(under(view, { x: 0, y: 0 }).x).toBeCloseTo(150) // its left edge is at the frame's
  expect(under(bounded({ scale: 5, x: -9999, y: 0 }, frame, tall), { x: 400, y: 0 }).x).toBeCloseTo(250)
})

it('is the whole picture at scale 1, and no smaller', () => {
  expect(bounded({ scale: 0.5, x: 30, y: 30 }, frame, wide)).toEqual(whole)
  expect(bounded(panned(whole, { x: 30, y: 0 }), frame, wide)).toEqual(whole)
})

it('both fingers keep what they hold', () => {
  const from = [{ x: 100, y: 100 }, { x: 200, y: 100 }] as const
  const to = [{ x: 50, y: 120 }, { x: 250, y: 120 }] as const
  const view = pinched(whole, from, to)
  expect(view.scale).toBe(2)
  for (const i of [0, 1] as const) {
    expect(under(view, to[i]).x).toBeCloseTo(from[i].x)
    expect(under(view, to[i]).y).toBeCloseTo(from[i].y)
  }
  expect(pinched(whole, [to[0], to[0]], from).scale).toBe(maxScale) // fingers at one place: no division by nothing
})

it('a double tap enlarges there, and the next one shows all', () => {
  const at = { x: 100, y: 50 }
  const view = toggled(whole, at)
  expect(view.scale).toBe(2)
  expect(under(view, at)).toEqual(at)
  expect(toggled(view, at)).toEqual(whole)
})
