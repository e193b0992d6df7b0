// The scripts: one text for each event, checked by layerd when they are saved. Nothing is sent before Save.
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { readScripts, useKept, whyNotOwner, type Problem, type ScriptList } from '../custom'
import { asking, notify, perform } from '../state'
import { Icon, Spinner } from './icon'
import { Problems } from './problems'

/** What an event is called, when its script runs, and what it is for. */
const about: Record<string, { name: string; when: string; example: string }> = {
  connected: { name: 'Connected', when: 'When the printer has introduced itself. It may not move or heat anything.', example: 'M117 Hello' },
  started: { name: 'Print starts', when: "Before the file's first line.", example: 'M355 S1 ; light on' },
  paused: { name: 'Paused', when: 'When the head has parked.', example: 'M300 S880 P300' },
  resumed: { name: 'Resumed', when: 'When it is hot again, before the head goes back.', example: 'G1 E2 F200 ; prime' },
  cancelled: { name: 'Stopped', when: 'After heaters off and parking. It heats nothing.', example: 'M355 S0' },
  done: { name: 'Print done', when: 'After the last move. It heats nothing.', example: 'M300 S440 P500' },
  failed: { name: 'Failed', when: 'When a file could not be printed on, and the printer still answers. Lights, sounds, words, and off.', example: 'M117 See layerd' },
}

export function ScriptsPage() {
  const kept = useKept('/v1/scripts', readScripts)
  if (!kept) return <p class="center muted"><Spinner /></p>
  return <ScriptsForm kept={kept} />
}

const textsOf = (kept: ScriptList) => Object.fromEntries(kept.scripts.map(({ event, text }) => [event, text]))

export function ScriptsForm({ kept }: { kept: ScriptList }) {
  const saved = JSON.stringify(textsOf(kept))
  const [texts, setTexts] = useState<Record<string, string>>(() => textsOf(kept))
  const [base, setBase] = useState(saved)
  const [problems, setProblems] = useState<readonly Problem[]>([])
  const [refused, setRefused] = useState(0) // times
  const form = useRef<HTMLFormElement>(null)
  const why = whyNotOwner()
  const dirty = JSON.stringify(texts) !== saved
  const busy = asking('scripts') !== null
  // Another phone saved scripts: take them, unless something is being edited here.
  useEffect(() => {
    if (saved === base) return
    setBase(saved)
    if (JSON.stringify(texts) === base) setTexts(textsOf(kept))
  }, [saved])
  // The first text that is wrong may be far away.
  useEffect(() => {
    if (refused > 0) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }, [refused])
  const save = async () => {
    const { error } = await perform('scripts', { do: 'set_scripts', scripts: texts }, true)
    setProblems(error?.problems ?? [])
    if (error) setRefused((n) => n + 1)
    if (!error) notify('good', 'The scripts are saved.')
    else if (error.problems.length === 0) notify('error', error.message, error.next)
  }
  return (
    <form ref={form} class="custom" aria-label="Scripts" onSubmit={(event) => {
      event.preventDefault()
      void save()
    }}>
      {why && <p class="why bar"><Icon name="lock" size={20} />{why}</p>}
      <p class="muted">Plain G-code, a command a line, 50 at most; a semicolon begins a comment. Moves begin in mm, absolute, with relative filament (G90, M83). What cannot be sent when its time comes is left out, and the console says so.</p>
      <Values values={kept.values} />
      <div class="columns">
        {kept.scripts.map(({ event }) => (
          <Script key={event} event={event} text={texts[event] ?? ''} problems={problems.filter((p) => p.in === event)} disabled={why !== ''}
            onText={(text) => {
              setTexts((had) => ({ ...had, [event]: text }))
              setProblems((had) => had.filter((p) => p.in !== event))
            }} />
        ))}
      </div>
      <div class={dirty ? 'card-actions stays' : 'card-actions'}>
        <p class="problem" role="alert">{problems.length > 0 && `Nothing was saved: ${problems.length === 1 ? 'a line is' : `${problems.length} lines are`} not possible.`}</p>
        <button type="submit" class="btn primary" disabled={why !== '' || busy || !dirty}>{busy && <Spinner />} Save scripts</button>
        {dirty && <button type="button" class="btn" onClick={() => {
          setTexts(textsOf(kept))
          setProblems([])
        }}>Undo</button>}
      </div>
    </form>
  )
}

interface ScriptProps {
  event: string
  text: string
  problems: readonly Problem[]
  disabled: boolean
  onText: (text: string) => void
}

function Script({ event, text, problems, disabled, onText }: ScriptProps) {
  const id = useId()
  const words = about[event] ?? { name: event, when: '', example: '' }
  return (
    <div class="card">
      <div class="field">
        <label for={id} class="lead">{words.name}</label>
        <p id={`${id}w`} class="muted small">{words.when}</p>
        <textarea id={id} class="mono" rows={Math.min(12, Math.max(3, text.split('\n').length))} spellcheck={false} autocomplete="off" autocapitalize="off" wrap="off" maxLength={8192}
          placeholder={words.example} value={text} disabled={disabled} aria-invalid={problems.length > 0} aria-describedby={`${id}w ${id}p`} onInput={(e) => onText(e.currentTarget.value)} />
      </div>
      <Problems id={`${id}p`} problems={problems} text={text} />
    </div>
  )
}

/** The names that may stand in a script. */
export function Values({ values }: { values: ScriptList['values'] }) {
  return (
    <details class="card values">
      <summary><span>Values in braces, such as {'{layer}'}</span><Icon name="down" size={20} /></summary>
      <dl class="list">
        {values.map((v) => <div key={v.name}><dt><code>{`{${v.name}}`}</code></dt><dd>{v.about}</dd></div>)}
      </dl>
    </details>
  )
}
