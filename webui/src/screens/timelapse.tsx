// When prints are recorded, what the film is like, and how much room all of them may take.
import { useEffect, useState } from 'preact/hooks'
import { films, followFilms } from '../films'
import { Spinner } from '../parts/icon'
import { allowed, asking, live, notify, perform, state } from '../state'
import { bytes } from '../units'
import type { TimelapseSettings } from '../wire'

type NumberKey = 'every_s' | 'fps' | 'budget_mb' | 'limit_mb'
const numbers: Record<NumberKey, { label: string; unit: string; low: number; up: number; about: string }> = {
  every_s: { label: 'One frame each', unit: 's', low: 1, up: 3600, about: 'A film of 10 s needs 250 frames at 25 a second.' },
  fps: { label: 'Frames a second in the film', unit: '1/s', low: 1, up: 60, about: 'Of films that begin from now on.' },
  budget_mb: { label: 'Room for the frames of one print', unit: 'MB', low: 10, up: 1900, about: 'When it is full, every second frame is dropped: the whole print stays covered.' },
  limit_mb: { label: 'Room for all timelapses', unit: 'MB', low: 20, up: 1_000_000, about: 'When it is full, the oldest are deleted.' },
}

const modes: readonly { mode: TimelapseSettings['mode']; name: string; about: string }[] = [
  { mode: 'off', name: 'Off', about: 'Unless somebody says otherwise at the start of a print.' },
  { mode: 'time', name: 'By time', about: 'The print is not touched. The head is somewhere else in each frame.' },
  { mode: 'layer', name: 'By layer', about: 'The print stands still for a moment after each layer, and the frame is taken then.' },
]

export function TimelapsePage() {
  useEffect(followFilms, [])
  const now = films.value?.settings
  const json = JSON.stringify(now)
  const [edited, setEdited] = useState<TimelapseSettings | null>(null)
  const [texts, setTexts] = useState<Partial<Record<NumberKey, string>>>({})
  useEffect(() => {
    setEdited(now ?? null)
    setTexts({})
  }, [json])
  if (!now || !edited) return <p class="center muted"><Spinner /></p>
  const enabled = live.value && allowed('owner')
  const wrong = (key: NumberKey) => !Number.isInteger(edited[key]) || edited[key] < numbers[key].low || edited[key] > numbers[key].up
  const tooSmall = edited.limit_mb < edited.budget_mb
  const bad = (Object.keys(numbers) as NumberKey[]).some(wrong) || tooSmall
  const save = async () => {
    const answer = await perform('timelapse', { do: 'set_timelapse', timelapse: edited })
    if (!answer.error) notify('good', 'Saved.')
  }
  const number = (key: NumberKey) => {
    const { label, unit, low, up, about } = numbers[key]
    return (
      <div class="field">
        <label for={key}>{label}</label>
        <div class="with-unit">
          <input id={key} type="text" inputMode="numeric" autocomplete="off" value={texts[key] ?? String(edited[key])} disabled={!enabled} aria-invalid={wrong(key)} aria-describedby={`${key}-about`}
            onInput={(event) => {
              const text = event.currentTarget.value
              setTexts({ ...texts, [key]: text })
              setEdited({ ...edited, [key]: text.trim() === '' ? NaN : Number(text) })
            }} />
          <span>{unit}</span>
        </div>
        <small id={`${key}-about`} class="muted">{wrong(key) ? `${low} to ${up}.` : about}</small>
      </div>
    )
  }
  const check = (key: 'park' | 'render_early' | 'keep_failed', label: string) => (
    <label class="check"><input type="checkbox" checked={edited[key]} disabled={!enabled} onChange={(event) => setEdited({ ...edited, [key]: event.currentTarget.checked })} /><span>{label}</span></label>
  )
  const cameras = state.value?.cameras ?? []
  return (
    <section class="card" aria-label="Timelapses">
      <h2>Record each print</h2>
      <div class="segments" role="group" aria-label="Record each print">
        {modes.map(({ mode, name }) => <button key={mode} type="button" disabled={!enabled} aria-pressed={edited.mode === mode} onClick={() => setEdited({ ...edited, mode })}>{name}</button>)}
      </div>
      <p class="muted small">{modes.find(({ mode }) => mode === edited.mode)?.about}</p>
      {edited.mode === 'time' && number('every_s')}
      {edited.mode === 'layer' && check('park', 'The head goes aside for each frame, which takes longer')}
      {cameras.length > 1 && (
        <div class="field">
          <label for="film-camera">Camera</label>
          <select id="film-camera" value={edited.camera} disabled={!enabled} onChange={(event) => setEdited({ ...edited, camera: Number(event.currentTarget.value) })}>
            {cameras.map((c) => <option key={c.id} value={c.id}>{c.name || `Camera ${c.id + 1}`}</option>)}
          </select>
        </div>
      )}
      {number('fps')}
      {number('budget_mb')}
      {number('limit_mb')}
      {tooSmall && <p class="problem" role="alert">All together need at least the room of one.</p>}
      <p class="muted small num">{bytes(films.value?.bytes ?? 0)} are used now.</p>
      {check('keep_failed', 'Keep timelapses of prints that failed or were stopped')}
      {check('render_early', 'Make videos while a print runs: the Pi has other things to do then')}
      <div class="card-actions">
        <button type="button" class="btn primary" disabled={!enabled || bad || JSON.stringify(edited) === json || asking('timelapse') !== null} onClick={() => void save()}>{asking('timelapse') !== null && <Spinner />}Save</button>
      </div>
    </section>
  )
}
