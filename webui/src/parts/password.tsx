// A field for a password, which can be looked at while it is typed.
import { useId, useState } from 'preact/hooks'

interface PasswordProps {
  label: string
  value: string
  onInput: (value: string) => void
  /** Tells password managers what it is. */
  autocomplete: 'current-password' | 'new-password'
  hint?: string
  wrong?: boolean
  disabled?: boolean
  /** Somebody has to read it: it is not typed by whom it is for. */
  open?: boolean
}

export function PasswordField({ label, value, onInput, autocomplete, hint = '', wrong = false, disabled = false, open = false }: PasswordProps) {
  const id = useId()
  const [shown, setShown] = useState(open)
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="with-button">
        <input id={id} {...(shown ? { type: 'text' as const } : { type: 'password' as const })} name="password" class={shown ? 'mono' : ''} autocomplete={autocomplete} autocapitalize="off" spellcheck={false} maxLength={256}
          value={value} disabled={disabled} aria-invalid={wrong} aria-describedby={`${id}h`} onInput={(event) => onInput(event.currentTarget.value)} />
        <button type="button" class="btn small" aria-pressed={shown} aria-label={`Show: ${label}`} onClick={() => setShown(!shown)}>{shown ? 'Hide' : 'Show'}</button>
      </div>
      <small id={`${id}h`} class="muted">{hint}</small>
    </div>
  )
}
