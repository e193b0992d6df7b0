// For a control that is dragged: while one value is on its way the others wait, and only the newest of them is sent then.

/** Returns what takes values. gapMs is the least time between two of them. */
export function newestWins<T>(send: (value: T) => Promise<unknown>, gapMs: number): (value: T) => void {
  let waiting: { value: T } | null = null
  let busy = false
  const go = async () => {
    busy = true
    while (waiting) {
      const { value } = waiting
      waiting = null
      await Promise.allSettled([send(value), new Promise((later) => setTimeout(later, gapMs))])
    }
    busy = false
  }
  return (value) => {
    waiting = { value }
    if (!busy) void go()
  }
}
