// The lamp at the printer: which lines switch it. It stands on the picture then.
import { useId, useState } from 'preact/hooks'
import { asking, loadChoices, notify, perform } from '../state'
import type { ApiError, Choices } from '../wire'
import { Spinner } from './icon'
import { Problems } from './problems'

const examples = [['M355 S1', 'M355 S0', "the printer's case light"], ['M106 P2 S255', 'M106 P2 S0', "a lamp at a second fan's output"], ['M42 P4 S255', 'M42 P4 S0', 'one at a pin; not in mid-print']] as const

export function LampCard({ lamp, disabled }: { lamp: Choices['lamp']; disabled: boolean }) {
  const id = useId()
  const [on, setOn] = useState(lamp.on_lines)
  const [off, setOff] = useState(lamp.off_lines)
  const [error, setError] = useState<ApiError | null>(null)
  const busy = asking('lamp setup') !== null
  const dirty = on !== lamp.on_lines || off !== lamp.off_lines
  const save = async () => {
    const answer = await perform('lamp setup', { do: 'set_lamp', on_lines: on, off_lines: off }, true)
    setError(answer.error)
    if (answer.error) return
    notify('good', on || off ? 'The lamp is set up: its button is on the picture.' : 'The lamp is removed.')
    await loadChoices()
  }
  const field = (name: string, label: string, value: string, set: (text: string) => void) => {
    const problems = error?.problems.filter((p) => p.in === label) ?? []
    return (
      <div class="field">
        <label for={id + name}>{label}</label>
        <textarea id={id + name} class="mono" rows={2} spellcheck={false} autocapitalize="none" autocomplete="off" value={value} disabled={disabled} aria-invalid={problems.length > 0} aria-describedby={`${id}${name}why`} onInput={(event) => set(event.currentTarget.value)} />
        <Problems problems={problems} text={value} id={`${id}${name}why`} />
      </div>
    )
  }
  return (
    <form class="card" aria-label="Lamp" onSubmit={(event) => {
      event.preventDefault()
      void save()
    }}>
      <h2>Lamp</h2>
      <p class="muted">G-code that switches a lamp at the printer. With both filled in there is a button for it on the picture.</p>
      {field('on', 'Lamp on', on, setOn)}
      {field('off', 'Lamp off', off, setOff)}
      <dl class="small muted lamp-hints">
        {examples.map(([one, other, what]) => <div key={one}><dt><code>{one}</code>, <code>{other}</code></dt><dd>{what}</dd></div>)}
      </dl>
      <p class="problem" role="alert">{error && error.problems.length === 0 && error.message}</p>
      <div class="card-actions"><button type="submit" class="btn primary" disabled={disabled || busy || !dirty}>{busy && <Spinner />} Save lamp</button></div>
    </form>
  )
}
