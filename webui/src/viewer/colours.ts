// What is drawn in which colour, and what the legend says of it. The colours can be told from each other on light and dark ground.
import { extrudes, featureOf, type Layer } from './decode'

export type ColourBy = 'feature' | 'speed' | 'height'
export type Colour = readonly [r: number, g: number, b: number] // 0 to 255

export const features: readonly { name: string; colour: Colour }[] = [
  { name: 'Other', colour: [140, 148, 158] },
  { name: 'Outer wall', colour: [232, 119, 46] },
  { name: 'Inner wall', colour: [214, 170, 42] },
  { name: 'Overhang', colour: [58, 92, 214] },
  { name: 'Infill', colour: [178, 52, 66] },
  { name: 'Solid infill', colour: [150, 84, 204] },
  { name: 'Top', colour: [226, 74, 120] },
  { name: 'Bridge', colour: [72, 128, 186] },
  { name: 'Gap fill', colour: [120, 150, 60] },
  { name: 'Support', colour: [42, 158, 92] },
  { name: 'Support interface', colour: [20, 122, 110] },
  { name: 'Skirt', colour: [0, 150, 160] },
  { name: 'Ironing', colour: [200, 110, 170] },
  { name: 'Prime tower', colour: [110, 140, 130] },
  { name: 'Slicer’s own code', colour: [96, 150, 84] },
]

export const travelColour: Colour = [110, 140, 190]

// Blue over green to red, as the legend's gradient in viewer.css.
export const ramp: readonly Colour[] = [[44, 92, 214], [32, 160, 178], [74, 176, 74], [226, 178, 40], [214, 58, 44]]

export const css = ([r, g, b]: Colour, alpha = 1): string => `rgb(${r} ${g} ${b} / ${alpha})`

/** t from 0 to 1. */
export function onRamp(t: number): Colour {
  const at = Math.max(0, Math.min(1, t)) * (ramp.length - 1)
  const i = Math.min(Math.floor(at), ramp.length - 2)
  const [from, to] = [ramp[i]!, ramp[i + 1]!]
  const mix = (a: number, b: number): number => Math.round(a + (b - a) * (at - i))
  return [mix(from[0], to[0]), mix(from[1], to[1]), mix(from[2], to[2])]
}

export const feature = (kind: number): (typeof features)[number] => features[featureOf(kind)] ?? features[0]!

/** What is in layers: which features, and how fast at least and at most something is extruded. */
export class Palette {
  readonly found = new Set<number>()
  slowest = Infinity
  fastest = 0

  add(layer: Layer): void {
    let last = -1
    for (let i = 1; i < layer.count; i++) {
      const kind = layer.kind[i]!
      if (!(kind & extrudes)) continue
      if (kind !== last) this.found.add(featureOf(kind) < features.length ? featureOf(kind) : 0)
      last = kind
      const speed = layer.speed[i]!
      if (speed < this.slowest) this.slowest = speed
      if (speed > this.fastest) this.fastest = speed
    }
  }

  /** Where a speed is between them, 0 to 1. */
  pace(speed: number): number {
    return this.fastest > this.slowest ? (speed - this.slowest) / (this.fastest - this.slowest) : 0.5
  }
}
