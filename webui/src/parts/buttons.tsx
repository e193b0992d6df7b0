// The owner's own buttons, in groups: added, edited, put into order, deleted. Each change is saved at once.
import { useState } from 'preact/hooks'
import { readButtons, readScripts, useKept, whyNotOwner, type Problem } from '../custom'
import { asking, notify, perform } from '../state'
import type { ApiError, ButtonGroup, CustomButton } from '../wire'
import { ButtonSheet } from './buttonsheet'
import { Icon, Spinner } from './icon'
import { Sheet } from './sheet'

/** What is being edited: a button at its place (none: a new one), or a group's name (none: a new one). */
type Editing = { group: number; button: number | null } | { name: number | null } | null

/** The groups with one thing moved by a place, -1 or 1; unchanged where there is no place. */
export function moved<T>(all: readonly T[], at: number, by: number): T[] {
  const out = [...all]
  const [one] = out.splice(at, 1)
  if (one === undefined || at + by < 0 || at + by > out.length) return [...all]
  out.splice(at + by, 0, one)
  return out
}

export function ButtonsPage() {
  const kept = useKept('/v1/buttons', readButtons)
  const values = useKept('/v1/scripts', readScripts)?.values ?? []
  const [editing, setEditing] = useState<Editing>(null)
  const [error, setError] = useState<ApiError | null>(null)
  if (!kept) return <p class="center muted"><Spinner /></p>
  const groups: readonly ButtonGroup[] = kept.groups
  const why = whyNotOwner()
  const busy = asking('buttons') !== null
  const disabled = why !== '' || busy

  const open = (what: Editing) => {
    setError(null)
    setEditing(what)
  }
  // In a sheet the error is shown there, else as a notice.
  const save = async (next: readonly ButtonGroup[], inSheet: boolean) => {
    const answer = await perform('buttons', { do: 'set_buttons', groups: next }, true)
    setError(inSheet ? answer.error : null)
    if (answer.error && !inSheet) notify('error', answer.error.message, answer.error.next)
    if (!answer.error && inSheet) setEditing(null)
  }
  const withGroup = (at: number, group: ButtonGroup | null) => groups.flatMap((g, i) => (i !== at ? [g] : group ? [group] : []))
  const put = (button: CustomButton, into: number) => {
    if (!editing || !('group' in editing)) return
    const { group, button: at } = editing
    const next = groups.map((g, i) => {
      if (i === group && i === into && at !== null) return { ...g, buttons: g.buttons.map((b, j) => (j === at ? button : b)) }
      const buttons = i === group && at !== null ? g.buttons.filter((_, j) => j !== at) : g.buttons
      return { ...g, buttons: i === into ? [...buttons, button] : buttons }
    })
    void save(next, true)
  }
  return (
    <div class="custom">
      {why && <p class="why bar"><Icon name="lock" size={20} />{why}</p>}
      <p class="muted">They stand on the Move screen, and send their lines as if they were typed.</p>
      {groups.length === 0 && <section class="card center"><Icon name="plus" size={32} /><p>No buttons yet. Begin with a group, such as “Filament”.</p></section>}
      <div class="columns">
        {groups.map((group, g) => (
          <section key={g} class="card" aria-label={group.name}>
            <div class="row-head">
              <h2 class="wrap">{group.name}</h2>
              <Order what={group.name} at={g} count={groups.length} disabled={disabled} onMove={(by) => void save(moved(groups, g, by), false)} />
              <button type="button" class="icon-button" aria-label={`Rename ${group.name}`} disabled={disabled} onClick={() => open({ name: g })}><Icon name="edit" size={20} /></button>
            </div>
            <ul class="rows">
              {group.buttons.map((button, b) => (
                <li key={button.id} class="row">
                  <button type="button" class="row-open" disabled={why !== ''} onClick={() => open({ group: g, button: b })}>
                    <strong class="wrap">{button.label}</strong>
                    <small class="muted wrap mono">{button.lines.split('\n')[0]}</small>
                  </button>
                  <Order what={button.label} at={b} count={group.buttons.length} disabled={disabled}
                    onMove={(by) => void save(withGroup(g, { ...group, buttons: moved(group.buttons, b, by) }), false)} />
                </li>
              ))}
            </ul>
            <button type="button" class="btn" disabled={disabled} onClick={() => open({ group: g, button: null })}><Icon name="plus" size={20} /> Add a button</button>
          </section>
        ))}
      </div>
      <div class="card-actions">
        <button type="button" class={groups.length === 0 ? 'btn primary' : 'btn'} disabled={disabled} onClick={() => open({ name: null })}><Icon name="plus" size={20} /> Add a group</button>
      </div>
      {editing && 'group' in editing && (
        <ButtonSheet button={editing.button === null ? null : groups[editing.group]?.buttons[editing.button] ?? null} group={editing.group} groups={groups} values={values}
          problems={error?.problems ?? []} error={error} busy={busy} onSave={put} onClose={() => open(null)}
          onDelete={() => {
            const group = groups[editing.group]
            if (group) void save(withGroup(editing.group, { ...group, buttons: group.buttons.filter((_, j) => j !== editing.button) }), true)
          }} />
      )}
      {editing && 'name' in editing && (
        <GroupSheet group={editing.name === null ? null : groups[editing.name] ?? null} problems={error?.problems ?? []} busy={busy} onClose={() => open(null)}
          onSave={(name) => {
            const at = editing.name
            const group = at === null ? null : groups[at]
            void save(at !== null && group ? withGroup(at, { ...group, name }) : [...groups, { name, buttons: [] }], true)
          }}
          onDelete={() => void save(withGroup(editing.name ?? -1, null), true)} />
      )}
    </div>
  )
}

function Order({ what, at, count, disabled, onMove }: { what: string; at: number; count: number; disabled: boolean; onMove: (by: number) => void }) {
  if (count < 2) return null
  return (
    <>
      <button type="button" class="icon-button" aria-label={`Move ${what} up`} disabled={disabled || at === 0} onClick={() => onMove(-1)}><Icon name="up" size={20} /></button>
      <button type="button" class="icon-button" aria-label={`Move ${what} down`} disabled={disabled || at === count - 1} onClick={() => onMove(1)}><Icon name="down" size={20} /></button>
    </>
  )
}

interface GroupProps {
  group: ButtonGroup | null
  problems: readonly Problem[]
  busy: boolean
  onSave: (name: string) => void
  onDelete: () => void
  onClose: () => void
}

function GroupSheet({ group, problems, busy, onSave, onDelete, onClose }: GroupProps) {
  const [name, setName] = useState(group?.name ?? '')
  return (
    <Sheet title={group ? 'Group' : 'New group'} onClose={onClose}>
      <form onSubmit={(event) => {
        event.preventDefault()
        onSave(name.trim())
      }}>
        <div class="field">
          <label for="group-name">Name of the group</label>
          <input id="group-name" type="text" autocomplete="off" maxLength={40} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </div>
        <p class="problem" role="alert">{problems[0]?.message}</p>
        <div class="sheet-actions">
          <button type="submit" class="btn primary" disabled={busy || name.trim() === ''}>{busy && <Spinner />} Save group</button>
          {group && <button type="button" class="btn danger" disabled={busy || group.buttons.length > 0} onClick={onDelete}>Delete group</button>}
        </div>
        {group && group.buttons.length > 0 && <p class="why"><Icon name="info" size={20} />Only an empty group can be deleted.</p>}
      </form>
    </Sheet>
  )
}
