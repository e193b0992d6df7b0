// How many bytes came in the last minute, second by second.

const spanS = 60
const leastS = 5 // shorter than that says nothing about a minute

export class Meter {
  private seconds: { at: number; bytes: number }[] = []
  private sinceS = 0 // when counting began; 0 before

  add(bytes: number, nowMs: number): void {
    const at = Math.floor(nowMs / 1000)
    this.sinceS ||= at
    const last = this.seconds.at(-1)
    if (last?.at === at) last.bytes += bytes
    else this.seconds.push({ at, bytes })
    this.seconds = this.seconds.filter((second) => second.at > at - spanS)
  }

  /** Bytes a minute; in the first minute as if it went on so. */
  perMinute(nowMs: number): number {
    const now = Math.floor(nowMs / 1000)
    let sum = 0
    for (const second of this.seconds) if (second.at > now - spanS) sum += second.bytes
    return sum * spanS / Math.max(leastS, Math.min(spanS, now - this.sinceS + 1))
  }

  reset(): void {
    this.seconds = []
    this.sinceS = 0
  }
}
