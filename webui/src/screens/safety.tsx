// How long heat is left on, and what watches it.
import { useEffect, useState } from 'preact/hooks'
import { Icon, Spinner } from '../parts/icon'
import { allowed, asking, live, notify, perform, state } from '../state'
import type { Cooling } from '../wire'

const fields: readonly { key: keyof Cooling; label: string; about: string }[] = [
  { key: 'standing_nozzle_min', label: 'Nozzle of a print that stands still', about: 'Paused, stopped by a fault, or interrupted. Resume heats it again first.' },
  { key: 'standing_bed_min', label: 'Its bed and chamber', about: 'Longer, because a print comes off a cold bed.' },
  { key: 'idle_min', label: 'Anything hot without a print', about: 'Whoever made it hot.' },
]

const protections: Record<string, string> = {
  on: 'The firmware watches its heaters by itself.',
  off: 'The firmware says that its thermal protection is off.',
  unknown: 'The firmware does not say whether it has thermal protection.',
}

export function SafetyScreen() {
  const s = state.value
  const now = s?.keeper.cooling
  const [values, setValues] = useState<Record<string, string>>({})
  const json = JSON.stringify(now)
  useEffect(() => {
    if (now) setValues(Object.fromEntries(fields.map(({ key }) => [key, String(now[key])])))
  }, [json])
  if (!s || !now) return null
  const number = (key: string) => Number(values[key])
  const wrong = (key: string) => !(number(key) >= 1 && number(key) <= 1440)
  const changed = fields.some(({ key }) => number(key) !== now[key])
  const enabled = live.value && allowed('owner')
  const save = async () => {
    const answer = await perform('cooling', { do: 'set_cooling', cooling: { standing_nozzle_min: number('standing_nozzle_min'), standing_bed_min: number('standing_bed_min'), idle_min: number('idle_min') } })
    if (!answer.error) notify('good', 'Saved.')
  }
  return (
    <>
      <section class="card" aria-label="Switching off">
        <h2>Heat is switched off after</h2>
        {fields.map(({ key, label, about }) => (
          <div key={key} class="field">
            <label for={key}>{label}</label>
            <div class="with-unit">
              <input id={key} type="text" inputMode="decimal" autocomplete="off" value={values[key] ?? ''} disabled={!enabled} aria-invalid={wrong(key)} aria-describedby={`${key}-about`}
                onInput={(event) => setValues({ ...values, [key]: event.currentTarget.value })} />
              <span>min</span>
            </div>
            <small id={`${key}-about`} class="muted">{wrong(key) ? '1 to 1440 minutes.' : about}</small>
          </div>
        ))}
        <div class="card-actions">
          <button type="button" class="btn primary" disabled={!enabled || !changed || fields.some(({ key }) => wrong(key)) || asking('cooling') !== null} onClick={() => void save()}>
            {asking('cooling') !== null && <Spinner />}Save
          </button>
        </div>
      </section>
      <section class="card" aria-label="Thermal protection">
        <h2>Thermal protection</h2>
        <p>{protections[s.keeper.protection] ?? 'Not known while the printer is not connected.'}</p>
        <p class="why"><Icon name="info" size={18} />layerd stops a print and switches the heaters off when a heater runs away, stays cold, falls, or is no longer reported. It is no substitute for the firmware's own protection.</p>
      </section>
    </>
  )
}
