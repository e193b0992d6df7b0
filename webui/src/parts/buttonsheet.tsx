// The sheet in which one button is written.
import { useState } from 'preact/hooks'
import type { Problem, ScriptList } from '../custom'
import { typed } from '../units'
import type { ApiError, ButtonGroup, ButtonNumber, CustomButton } from '../wire'
import { Icon, Spinner } from './icon'
import { Problems } from './problems'
import { Values } from './scripts'
import { Sheet } from './sheet'

/** A group by its name; at tells those of one name apart, as long as it is right. */
export interface GroupAt {
  name: string
  at: number
}

/** Where a group is now, -1 when it is gone. */
export function groupIndex(groups: readonly ButtonGroup[], { name, at }: GroupAt): number {
  return groups[at]?.name === name ? at : groups.findIndex((g) => g.name === name)
}

interface ButtonSheetProps {
  button: CustomButton | null // null: a new one
  group: GroupAt
  groups: readonly ButtonGroup[]
  values: ScriptList['values']
  problems: readonly Problem[]
  error: ApiError | null
  busy: boolean
  onSave: (button: CustomButton, into: GroupAt) => void // into is group itself while nobody chose another
  onDelete: () => void
  onClose: () => void
}

const numberFields = [
  { key: 'min', name: 'Least' }, { key: 'max', name: 'Greatest' }, { key: 'step', name: 'Step' }, { key: 'default', name: 'Begins at' },
] as const
type NumberKey = (typeof numberFields)[number]['key']
type Texts = Record<NumberKey, string> & { label: string; unit: string }

const newNumber: Texts = { label: 'Value', unit: '', min: '0', max: '100', step: '1', default: '0' }

function textsOf(n: ButtonNumber | null): Texts {
  return n ? { label: n.label, unit: n.unit, min: String(n.min), max: String(n.max), step: String(n.step), default: String(n.default) } : newNumber
}

/** The number that the texts mean, or null while one of them is none. */
export function numberOf(texts: Texts): ButtonNumber | null {
  const [min, max, step, begins] = numberFields.map(({ key }) => typed(texts[key])) as [number, number, number, number]
  return [min, max, step, begins].some(Number.isNaN) ? null : { label: texts.label.trim(), unit: texts.unit.trim(), min, max, step, default: begins }
}

export function ButtonSheet({ button, group, groups, values, problems, error, busy, onSave, onDelete, onClose }: ButtonSheetProps) {
  const [label, setLabel] = useState(button?.label ?? '')
  const [lines, setLines] = useState(button?.lines ?? '')
  const [confirm, setConfirm] = useState(button?.confirm ?? '')
  const [asks, setAsks] = useState(button?.number != null)
  const [texts, setTexts] = useState(() => textsOf(button?.number ?? null))
  const [into, setInto] = useState(group)
  const number = asks ? numberOf(texts) : null
  const ready = label.trim() !== '' && lines.trim() !== '' && (!asks || number !== null)
  const ofLines = problems.filter((p) => p.line > 0)
  const others = problems.filter((p) => p.line === 0)
  return (
    <Sheet title={button ? 'Button' : 'New button'} firm onClose={onClose}>
      <form onSubmit={(event) => {
        event.preventDefault()
        if (ready) onSave({ id: button?.id ?? 0, label: label.trim(), lines, confirm: confirm.trim(), number }, into)
      }}>
        <div class="field">
          <label for="b-label">Label</label>
          <input id="b-label" type="text" autocomplete="off" maxLength={40} value={label} onInput={(event) => setLabel(event.currentTarget.value)} />
        </div>
        {groups.length > 1 && (
          <div class="field">
            <label for="b-group">Group</label>
            <select id="b-group" value={groupIndex(groups, into)} onChange={(event) => {
              const at = Number(event.currentTarget.value)
              setInto({ name: groups[at]?.name ?? '', at })
            }}>
              {groups.map((g, i) => <option key={i} value={i}>{g.name}</option>)}
            </select>
          </div>
        )}
        <div class="field">
          <label for="b-lines">G-code, 1 to 20 lines</label>
          <textarea id="b-lines" class="mono" rows={Math.min(10, Math.max(3, lines.split('\n').length))} spellcheck={false} autocomplete="off" autocapitalize="off" wrap="off" maxLength={8192}
            placeholder={asks ? 'M104 S{value}' : 'M355 S1'} value={lines} aria-invalid={ofLines.length > 0} aria-describedby="b-problems" onInput={(event) => setLines(event.currentTarget.value)} />
        </div>
        <Problems id="b-problems" problems={ofLines} text={lines} />
        {values.length > 0 && <Values values={[{ name: 'value', about: 'the number that the button asks for' }, ...values]} />}
        <div class="field">
          <label for="b-confirm">Question before, if any</label>
          <input id="b-confirm" type="text" autocomplete="off" maxLength={200} placeholder="Is the bed clear?" value={confirm} onInput={(event) => setConfirm(event.currentTarget.value)} />
        </div>
        <label class="check"><input type="checkbox" checked={asks} onChange={(event) => setAsks(event.currentTarget.checked)} /><span>It asks for a number, <code>{'{value}'}</code></span></label>
        {asks && (
          <fieldset>
            <legend>The number</legend>
            <div class="field-grid">
              <div class="field">
                <label for="b-n-label">Name</label>
                <input id="b-n-label" type="text" autocomplete="off" maxLength={40} value={texts.label} onInput={(event) => setTexts({ ...texts, label: event.currentTarget.value })} />
              </div>
              <div class="field">
                <label for="b-n-unit">Unit</label>
                <input id="b-n-unit" type="text" autocomplete="off" maxLength={40} placeholder="°C" value={texts.unit} onInput={(event) => setTexts({ ...texts, unit: event.currentTarget.value })} />
              </div>
              {numberFields.map(({ key, name }) => (
                <div key={key} class="field">
                  <label for={`b-n-${key}`}>{name}</label>
                  <input id={`b-n-${key}`} type="text" inputMode="decimal" autocomplete="off" value={texts[key]} aria-invalid={Number.isNaN(typed(texts[key]))}
                    onInput={(event) => setTexts({ ...texts, [key]: event.currentTarget.value })} />
                </div>
              ))}
            </div>
          </fieldset>
        )}
        {others.length > 0 && <ul class="problem problems" role="alert">{others.map((p, i) => <li key={i}>{p.in}: {p.message}.</li>)}</ul>}
        {error && problems.length === 0 && <p class="problem" role="alert"><strong>{error.message}</strong> {error.next}</p>}
        <div class="sheet-actions">
          <button type="submit" class="btn primary" disabled={busy || !ready}>{busy && <Spinner />} Save button</button>
          {button && <button type="button" class="btn danger" disabled={busy} onClick={onDelete}><Icon name="trash" size={20} /> Delete button</button>}
        </div>
      </form>
    </Sheet>
  )
}
