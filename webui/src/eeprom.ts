// The printer's own settings and the copies of them: what layerd says, and how a changed line is made.
import { ask } from './api'
import { bool, list, num, object, str, type Of } from './read'
import { typed } from './units'
import { parse } from './wire'

const word = object({ letter: str, value: num })
const setting = object({ text: str, command: str, name: str, note: str, words: list(word), changeable: bool })
export const readEEPROM = object({ at_ms: num, settings: list(setting) })
const copy = object({ id: num, at_ms: num, firmware: str, machine: str, why: str, sha256: str, lines: num })
export const readCopies = object({ copies: list(copy) })

export type Setting = Of<typeof setting>
export type EEPROM = Of<typeof readEEPROM>
export type Copy = Of<typeof copy>

/** Asks the printer for its settings. */
export async function getEEPROM(): Promise<EEPROM> {
  return readEEPROM(parse(await ask('/v1/eeprom')), '')
}

export async function getCopies(): Promise<Copy[]> {
  return readCopies(parse(await ask('/v1/eeprom/copies')), '').copies
}

export async function dropCopy(id: number): Promise<void> {
  await ask(copyURL(id), { method: 'DELETE' })
}

export function copyURL(id: number): string {
  return `/v1/eeprom/copies/${id}`
}

/** Settings by what they set, in the printer's order; lines of words come last. */
export function grouped(settings: readonly Setting[]): { name: string; settings: Setting[] }[] {
  const groups = new Map<string, Setting[]>()
  for (const s of settings) {
    const name = s.command === '' ? '' : s.name || s.command
    groups.set(name, [...groups.get(name) ?? [], s])
  }
  const words = groups.get('')
  groups.delete('')
  const all = [...groups].map(([name, settings]) => ({ name, settings }))
  return words ? [...all, { name: 'What else the printer says', settings: words }] : all
}

/** The line with what was typed in place of its numbers; '' when something typed is no number. */
export function changedLine(s: Setting, texts: readonly string[]): string {
  const words = s.words.map(({ letter, value }, i) => {
    const text = texts[i]?.trim() ?? ''
    const v = text === '' ? value : typed(text)
    return Number.isFinite(v) ? `${letter}${v}` : ''
  })
  return words.includes('') ? '' : [s.command, ...words].join(' ')
}
