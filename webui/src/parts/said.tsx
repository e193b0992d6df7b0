// What pages about people have in common.
import { allowed, live } from '../state'
import { roleChoices } from '../people'
import type { ApiError, Role } from '../wire'
import { Icon } from './icon'

/** Why something was refused, and what to do. */
export function Problem({ error }: { error: ApiError | null }) {
  return <p class="problem" role="alert">{error && <><strong>{error.message}</strong> {error.next}</>}</p>
}

/** Owners pass; others read why there is nothing. */
export function owners(): boolean {
  return allowed('owner')
}

export function OwnersOnly() {
  return <p class="why bar"><Icon name="lock" size={20} />Only an owner may see and change this.</p>
}

export function usable(): boolean {
  return live.value && allowed('owner')
}

/** One of the roles, with what each may do. */
export function RoleChoice({ name, value, onChoose, disabled = false }: { name: string; value: Role; onChoose: (role: Role) => void; disabled?: boolean }) {
  return (
    <fieldset class="role-choice">
      <legend>May</legend>
      {roleChoices.map((choice) => (
        <label key={choice.role} class="check">
          <input type="radio" name={name} checked={value === choice.role} disabled={disabled} onChange={() => onChoose(choice.role)} />
          <span><strong>{choice.name}</strong><small class="muted">{choice.about}</small></span>
        </label>
      ))}
    </fieldset>
  )
}
