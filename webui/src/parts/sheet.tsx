// A sheet: from the bottom on a phone, in the middle on a desktop. It is a native modal dialog, which keeps the focus inside, closes on
// Escape, and gives the focus back to where it was.
import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { Icon } from './icon'

interface SheetProps {
  title: string
  onClose: () => void
  children: ComponentChildren
  /** For questions where a stray tap beside the sheet must not count as an answer. */
  firm?: boolean
  role?: 'dialog' | 'alertdialog'
}

export function Sheet({ title, onClose, children, firm = false, role = 'dialog' }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()

  useLayoutEffect(() => {
    const element = dialog.current
    if (!element) return
    element.showModal()
    return () => element.close()
  }, [])

  return (
    <dialog ref={dialog} class="sheet" role={role} aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => {
        if (!firm && event.target === dialog.current) onClose()
      }}>
      <div class="sheet-inner">
        <header class="sheet-head">
          <h2 id={id}>{title}</h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={onClose}><Icon name="close" /></button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
