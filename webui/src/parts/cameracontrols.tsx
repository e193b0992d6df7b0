// What can be adjusted at a camera while it runs. A slider is obeyed while it is dragged, so that the picture beside it shows what it does.
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks'
import { newestWins } from '../newest'
import { loadChoices, perform } from '../state'
import type { CameraControl, CameraSetup } from '../wire'
import { Icon } from './icon'

const gapMs = 150 // between two values of a control that is dragged
const settleMs = 600 // after the last one the camera is asked what it has made of it

export function CameraControls({ setup, disabled }: { setup: CameraSetup; disabled: boolean }) {
  const settling = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(settling.current), [])
  // What one control does to others, such as greying them, shows only when the list is read again; not in the middle of a drag.
  const settle = () => {
    clearTimeout(settling.current)
    settling.current = setTimeout(() => void loadChoices(), settleMs)
  }
  return (
    <section class="card" aria-label="Controls of the camera">
      <h2>Adjust</h2>
      {setup.adjustable.map((control) => <Control key={control.id} camera={setup.id} control={control} own={control.id in setup.controls} disabled={disabled} onSent={settle} />)}
    </section>
  )
}

interface ControlProps {
  camera: number
  control: CameraControl
  own: boolean // a person has set it
  disabled: boolean
  onSent: () => void
}

function Control({ camera, control, own, disabled, onSent }: ControlProps) {
  const id = useId()
  const [draft, setDraft] = useState<number | null>(null) // until the list is read again
  useEffect(() => setDraft(null), [control])
  // The control is the same for as long as its key is.
  const send = useMemo(() => newestWins(async (value: number | undefined) => {
    const answer = await perform(`control ${control.id}`, { do: 'set_control', camera_id: camera, name: control.id, ...(value === undefined ? {} : { value }) })
    if (answer.error) setDraft(null)
    onSent()
  }, gapMs), [])
  const value = draft ?? control.value
  const set = (next: number | undefined) => {
    setDraft(next ?? control.default)
    send(next)
  }
  const off = disabled || control.inactive
  return (
    <div class={`control${control.inactive ? ' inactive' : ''}`}>
      <div class="control-head">
        <label for={id}>{control.name}</label>
        {control.kind === 'number' && <output for={id} class="num">{value}</output>}
        <button type="button" class="icon-button" aria-label={`${control.name}: back to the camera's own`} disabled={disabled || !own && value === control.default} onClick={() => set(undefined)}><Icon name="undo" size={20} /></button>
      </div>
      {control.kind === 'number' && <input id={id} type="range" min={control.min} max={control.max} step={Math.max(1, control.step)} value={value} disabled={off} onInput={(event) => set(Number(event.currentTarget.value))} />}
      {control.kind === 'switch' && <label class="check"><input id={id} type="checkbox" checked={value !== 0} disabled={off} onChange={(event) => set(event.currentTarget.checked ? 1 : 0)} />{value !== 0 ? 'On' : 'Off'}</label>}
      {control.kind === 'choice' && (
        <select id={id} value={String(value)} disabled={off} onChange={(event) => set(Number(event.currentTarget.value))}>
          {control.choices.map((choice) => <option key={choice.value} value={choice.value}>{choice.name}</option>)}
        </select>
      )}
      {control.inactive && <p class="small muted">Another control is in charge of it now.</p>}
    </div>
  )
}
