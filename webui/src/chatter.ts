// What the console leaves out on request: the endless ok and temperature lines of a healthy conversation. Pure.
import type { Entry } from './wire'

const okOnly = /^ok(\s+[A-Z]-?\d+)*\s*$/i
const temperatures = /^(ok\s+)?(T\d*|B|C):\s*-?\d/
const asksTemperatures = /^(N\d+\s+)?M(105|155)\b/
const busy = /^echo:\s*busy:/i
const card = /^(Not )?SD print/

export function isChatter(entry: Entry): boolean {
  if (entry.dir === 'note') return false
  const text = entry.text.trim()
  return entry.dir === 'in' ? okOnly.test(text) || temperatures.test(text) || busy.test(text) || card.test(text) : asksTemperatures.test(text)
}

export function filtered(lines: readonly Entry[], hideChatter: boolean, search: string): Entry[] {
  const wanted = search.trim().toLocaleLowerCase()
  return lines.filter((entry) => !(hideChatter && isChatter(entry)) && (wanted === '' || entry.text.toLocaleLowerCase().includes(wanted)))
}

/** What was typed before, the newest last; up and down walk through it as in a shell. */
export class Recall {
  private readonly said: string[] = []
  private at = 0
  private draft = ''

  add(line: string): void {
    if (this.said.at(-1) !== line) this.said.push(line)
    if (this.said.length > 100) this.said.shift()
    this.at = this.said.length
  }

  older(now: string): string {
    if (this.at === this.said.length) this.draft = now
    this.at = Math.max(0, this.at - 1)
    return this.said[this.at] ?? now
  }

  newer(now: string): string {
    if (this.at >= this.said.length) return now
    this.at++
    return this.said[this.at] ?? this.draft
  }
}
