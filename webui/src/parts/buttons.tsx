// The owner's own buttons, in groups: added, edited, put into order, deleted. Each change is saved at once.
import { useState } from 'preact/hooks'
import { readButtons, readScripts, useKept, whyNotOwner } from '../custom'
import { asking, notify, perform } from '../state'
import type { ApiError, ButtonGroup, CustomButton } from '../wire'
import { ButtonSheet, groupIndex, type GroupAt } from './buttonsheet'
import { Icon, Spinner } from './icon'
import { Sheet } from './sheet'

/** What is being edited: a button (none: a new one) as it was when its sheet was opened, or a group's name (none: a new one). */
type Editing = { group: GroupAt; button: CustomButton | null } | { name: GroupAt | null } | null

const gone = (message: string): ApiError => ({ code: '', message, next: '', warnings: [], problems: [] })
const buttonGone = gone('This button is no longer there: somebody has deleted it. Nothing was saved.')
const groupGone = gone('This group is no longer there: somebody has deleted or renamed it. Nothing was saved.')

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
  // Another phone may have put things into another order since the sheet was opened, so what it is about is looked for.
  const put = (button: CustomButton, into: GroupAt) => {
    if (!editing || !('group' in editing)) return
    const at = editing.button ? groups.findIndex((g) => g.buttons.some((b) => b.id === button.id)) : -1
    if (editing.button && at < 0) return setError(buttonGone)
    const to = at >= 0 && into === editing.group ? at : groupIndex(groups, into)
    if (to < 0) return setError(groupGone)
    const next = groups.map((g, i) => {
      if (i === to && i === at) return { ...g, buttons: g.buttons.map((b) => (b.id === button.id ? button : b)) }
      const buttons = i === at ? g.buttons.filter((b) => b.id !== button.id) : g.buttons
      return { ...g, buttons: i === to ? [...buttons, button] : buttons }
    })
    void save(next, true)
  }
  const drop = (id: number) => {
    if (!groups.some((g) => g.buttons.some((b) => b.id === id))) return setError(buttonGone)
    void save(groups.map((g) => ({ ...g, buttons: g.buttons.filter((b) => b.id !== id) })), true)
  }
  const changeGroup = (which: GroupAt, change: (group: ButtonGroup) => ButtonGroup | null) => {
    const at = groupIndex(groups, which)
    const group = groups[at]
    if (!group) return setError(groupGone)
    void save(withGroup(at, change(group)), true)
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
              <button type="button" class="icon-button" aria-label={`Rename ${group.name}`} disabled={disabled} onClick={() => open({ name: { name: group.name, at: g } })}><Icon name="edit" size={20} /></button>
            </div>
            <ul class="rows">
              {group.buttons.map((button, b) => (
                <li key={button.id} class="row">
                  <button type="button" class="row-open" disabled={why !== ''} onClick={() => open({ group: { name: group.name, at: g }, button })}>
                    <strong class="wrap">{button.label}</strong>
                    <small class="muted wrap mono">{button.lines.split('\n')[0]}</small>
                  </button>
                  <Order what={button.label} at={b} count={group.buttons.length} disabled={disabled}
                    onMove={(by) => void save(withGroup(g, { ...group, buttons: moved(group.buttons, b, by) }), false)} />
                </li>
              ))}
            </ul>
            <button type="button" class="btn" disabled={disabled} onClick={() => open({ group: { name: group.name, at: g }, button: null })}><Icon name="plus" size={20} /> Add a button</button>
          </section>
        ))}
      </div>
      <div class="card-actions">
        <button type="button" class={groups.length === 0 ? 'btn primary' : 'btn'} disabled={disabled} onClick={() => open({ name: null })}><Icon name="plus" size={20} /> Add a group</button>
      </div>
      {editing && 'group' in editing && (
        <ButtonSheet button={editing.button} group={editing.group} groups={groups} values={values} problems={error?.problems ?? []} error={error} busy={busy}
          onSave={put} onClose={() => open(null)} onDelete={() => editing.button && drop(editing.button.id)} />
      )}
      {editing && 'name' in editing && (
        <GroupSheet group={editing.name && (groups[groupIndex(groups, editing.name)] ?? { name: editing.name.name, buttons: [] })} error={error} busy={busy} onClose={() => open(null)}
          onSave={(name) => (editing.name ? changeGroup(editing.name, (group) => ({ ...group, name })) : void save([...groups, { name, buttons: [] }], true))}
          onDelete={() => editing.name && changeGroup(editing.name, (group) => (group.buttons.length > 0 ? group : null))} />
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
  error: ApiError | null
  busy: boolean
  onSave: (name: string) => void
  onDelete: () => void
  onClose: () => void
}

function GroupSheet({ group, error, busy, onSave, onDelete, onClose }: GroupProps) {
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
        <p class="problem" role="alert">{error && (error.problems[0]?.message ?? error.message)}</p>
        <div class="sheet-actions">
          <button type="submit" class="btn primary" disabled={busy || name.trim() === ''}>{busy && <Spinner />} Save group</button>
          {group && <button type="button" class="btn danger" disabled={busy || group.buttons.length > 0} onClick={onDelete}>Delete group</button>}
        </div>
        {group && group.buttons.length > 0 && <p class="why"><Icon name="info" size={20} />Only an empty group can be deleted.</p>}
      </form>
    </Sheet>
  )
}
