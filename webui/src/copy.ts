// Copying: the clipboard's own way needs HTTPS, which a printer at home seldom has.

/** Copies what an element shows; says whether it did. It stays selected when not, to be copied by hand. */
export async function copyFrom(element: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent ?? '')
    return true
  } catch {
    getSelection()?.selectAllChildren(element)
    return document.execCommand('copy')
  }
}
