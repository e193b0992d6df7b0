// The eye that looks at the print in space: it goes around a point, at a distance. Lengths in mm.

type V = [number, number, number]

const field = (32 * Math.PI) / 180 // of view, upwards

export class Eye {
  private yaw = 0
  private pitch = 0
  private distance = 1
  private target: V = [0, 0, 0]
  private fit = 1
  moved = false // by a hand: from then on it stays where it is
  private low: readonly number[] = [0, 0, 0]
  private high: readonly number[] = [1, 1, 1]

  /** The print is between these corners; while nobody has moved the eye, it sees all of it. */
  cover(low: readonly number[], high: readonly number[]): void {
    this.low = low
    this.high = high
    const size = Math.hypot(high[0]! - low[0]!, high[1]! - low[1]!, high[2]! - low[2]!)
    this.fit = Math.max(size, 5) / (2 * Math.tan(field / 2))
    if (!this.moved) this.whole()
  }

  whole(): void {
    this.moved = false
    this.yaw = -0.6
    this.pitch = 0.5
    this.distance = this.fit * 1.1
    this.target = [0, 1, 2].map((i) => (this.low[i]! + this.high[i]!) / 2) as V
  }

  turn(dx: number, dy: number): void {
    this.moved = true
    this.yaw -= dx * 0.008
    this.pitch = Math.max(-0.3, Math.min(Math.PI / 2, this.pitch + dy * 0.008))
  }

  /** By px of a picture of that height. */
  pan(dx: number, dy: number, height: number): void {
    this.moved = true
    const mm = (2 * this.distance * Math.tan(field / 2)) / Math.max(height, 1)
    const { right, up } = this.axes()
    for (let i = 0; i < 3; i++) this.target[i] = this.target[i]! - right[i]! * dx * mm + up[i]! * dy * mm
  }

  zoom(factor: number): void {
    this.moved = true
    this.distance = Math.max(this.fit / 60, Math.min(this.fit * 5, this.distance / factor))
  }

  /** Where it is, its axes, and the range in which it sees; aspect is width by height. */
  frame(aspect: number): { at: V; right: V; up: V; ahead: V; focal: number; near: number; far: number } {
    const { right, up, ahead } = this.axes()
    const away = this.distance / Math.min(1, Math.max(aspect, 0.3)) // on a tall screen the width counts
    const at = this.target.map((v, i) => v - ahead[i]! * away) as V
    return { at, right, up, ahead, focal: 1 / Math.tan(field / 2), near: Math.max(away / 50, away - this.fit * 4), far: away + this.fit * 6 }
  }

  private axes(): { right: V; up: V; ahead: V } {
    const [sy, cy, sp, cp] = [Math.sin(this.yaw), Math.cos(this.yaw), Math.sin(this.pitch), Math.cos(this.pitch)]
    return { right: [cy, sy, 0], up: [-sy * sp, cy * sp, cp], ahead: [-sy * cp, cy * cp, -sp] }
  }
}
