// What time it is for layerd, whose clock need not agree with the phone's. Each beat brings one estimate, wrong by at most half of its
// round trip; the one with the shortest of the last few is believed.

const kept = 16

export class Clock {
  private samples: { rttMs: number; offsetMs: number }[] = []
  private hintMs = 0

  /** A beat was sent at echo and its answer, written at serverMs, came at nowMs. */
  beat(echoMs: number, serverMs: number, nowMs: number): void {
    const rttMs = nowMs - echoMs
    if (rttMs < 0 || rttMs > 60_000) {
      this.samples = [] // the phone's clock was set
      return
    }
    this.samples.push({ rttMs, offsetMs: serverMs - (echoMs + rttMs / 2) })
    if (this.samples.length > kept) this.samples.shift()
  }

  /** Any message with the server's time serves until there is a beat. */
  hint(serverMs: number, nowMs: number): void {
    this.hintMs = serverMs - nowMs
  }

  /** Server's time minus the phone's. */
  get offsetMs(): number {
    let best = this.samples[0]
    if (!best) return this.hintMs
    for (const sample of this.samples) if (sample.rttMs < best.rttMs) best = sample
    return best.offsetMs
  }

  /** Shortest round trip of the last beats; null before the first. */
  get rttMs(): number | null {
    return this.samples.length === 0 ? null : Math.min(...this.samples.map((s) => s.rttMs))
  }

  /** layerd's time now. */
  now(): number {
    return Date.now() + this.offsetMs
  }
}
