// Before a print starts: whether and how it is recorded, this once.
import { useEffect, useState } from 'preact/hooks'
import { choiceOf, films, followFilms, getShots } from '../films'
import { state } from '../state'
import { duration } from '../units'
import type { RecordChoice } from '../wire'
import { Icon } from './icon'

const modes: readonly { mode: RecordChoice['mode']; name: string }[] = [{ mode: 'off', name: 'Off' }, { mode: 'time', name: 'By time' }, { mode: 'layer', name: 'By layer' }]

interface RecordLineProps {
  path: string
  value: RecordChoice | null // null: as the settings say
  disabled: boolean
  onChange: (value: RecordChoice) => void
}

export function RecordLine({ path, value, disabled, onChange }: RecordLineProps) {
  useEffect(followFilms, [])
  const [longer, setLonger] = useState<{ still_s: number; park_s: number } | null>(null)
  useEffect(() => {
    getShots(path).then(setLonger, () => setLonger(null)) // it can be printed without knowing
  }, [path])
  const cameras = state.value?.cameras ?? []
  const settings = films.value?.settings
  if (!settings || !cameras.some((c) => c.device !== '' && c.device !== 'none')) return null
  const now = value ?? choiceOf(settings)
  return (
    <fieldset class="record" disabled={disabled}>
      <legend><Icon name="film" size={18} /> Timelapse</legend>
      <div class="segments" role="group" aria-label="Timelapse">
        {modes.map(({ mode, name }) => <button key={mode} type="button" aria-pressed={now.mode === mode} onClick={() => onChange({ ...now, mode })}>{name}</button>)}
      </div>
      {now.mode === 'layer' && (
        <label class="check">
          <input type="checkbox" checked={now.park} onChange={(event) => onChange({ ...now, park: event.currentTarget.checked })} />
          <span>The head goes aside for each frame</span>
        </label>
      )}
      {now.mode === 'layer' && longer && <p class="muted small num" data-testid="longer">Adds about {duration(now.park ? longer.park_s : longer.still_s)}.</p>}
      {now.mode === 'time' && <p class="muted small">One frame each {now.every_s} s.</p>}
    </fieldset>
  )
}
