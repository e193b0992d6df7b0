// What is on the printer's own memory card: GET /v1/card.
import { bool, list, num, object, str, type Of } from './read'

const cardFile = object({ path: str, name: str, bytes: num, modified_ms: num, fits: bool })
export const readCardList = object({ present: bool, files: list(cardFile), listed_ms: num })

export type CardFile = Of<typeof cardFile>
export type CardList = Of<typeof readCardList>

/** Newest first, and by name where the card has no dates. */
export function inOrder(files: readonly CardFile[]): CardFile[] {
  return [...files].sort((a, b) => b.modified_ms - a.modified_ms || a.name.localeCompare(b.name, undefined, { numeric: true, sensitivity: 'base' }))
}
