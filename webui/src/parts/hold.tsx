// A button that acts only when it was held for a second, by finger, mouse, Enter or Space. A short tap, and the click of a screen reader, asks
// instead (onTap), so that nobody is shut out who cannot hold.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

export const holdMs = 1000

interface HoldProps {
  label: string
  onHeld: () => void
  onTap: () => void
  disabled?: boolean
  children: ComponentChildren
}

export function HoldButton({ label, onHeld, onTap, disabled = false, children }: HoldProps) {
  const [holding, setHolding] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)

  const begin = () => {
    if (disabled || timer.current !== undefined) return
    setHolding(true)
    timer.current = setTimeout(() => {
      timer.current = undefined
      setHolding(false)
      navigator.vibrate?.(40)
      onHeld()
    }, holdMs)
  }
  // short: let go too early, on the button.
  const end = (short: boolean) => {
    if (timer.current === undefined) return
    clearTimeout(timer.current)
    timer.current = undefined
    setHolding(false)
    if (short) onTap()
  }
  useEffect(() => () => clearTimeout(timer.current), [])
  useEffect(() => {
    if (disabled) end(false)
  }, [disabled])

  const isPress = (event: KeyboardEvent) => event.key === 'Enter' || event.key === ' '

  return (
    <button type="button" class={`btn danger hold${holding ? ' holding' : ''}`} aria-label={label} disabled={disabled}
      onPointerDown={(event) => {
        if (event.button === 0) begin()
      }}
      onPointerUp={() => end(true)}
      onPointerLeave={() => end(false)}
      onPointerCancel={() => end(false)}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (!isPress(event)) return
        event.preventDefault()
        if (!event.repeat) begin()
      }}
      onKeyUp={(event) => {
        if (!isPress(event)) return
        event.preventDefault()
        end(true)
      }}
      onBlur={() => end(false)}
      onClick={(event) => {
        if (event.detail === 0 && !disabled) onTap() // a click without pointer or key: a screen reader
      }}>
      <svg class="hold-ring" viewBox="0 0 40 40" width="40" height="40" aria-hidden="true">
        <circle class="hold-track" cx="20" cy="20" r="17" />
        <circle class="hold-run" cx="20" cy="20" r="17" pathLength="100" />
        <rect x="14" y="14" width="12" height="12" rx="2" />
      </svg>
      {children}
    </button>
  )
}
