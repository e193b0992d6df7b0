// Before a print starts: what happens at a layer shift, this once. Where nothing was set up there is nothing to choose, and one line says so.
import { clause, guard, modes, type Guard } from '../guard'
import { routeHash } from '../route'
import type { GuardSettings } from '../wire'
import { modeAbout, modeNames } from './guardchoice'
import { Icon } from './icon'
import { May } from './may'

interface WatchLineProps {
  value: GuardSettings['mode'] | null // null: as the settings say
  disabled: boolean
  onChange: (value: GuardSettings['mode']) => void
}

export function WatchLine({ value, disabled, onChange }: WatchLineProps) {
  const g = guard.value
  if (!g) return null
  if (!g.card) return <May role="owner"><a class="btn small quiet watch-unset" href={routeHash('settings', 'shifts')}><Icon name="search" size={18} /> Not watched for layer shifts: set it up</a></May>
  const now = value ?? g.settings.mode
  const lacks = lacking(g)
  return (
    <fieldset class="record" disabled={disabled}>
      <legend><Icon name="search" size={18} /> At a layer shift</legend>
      <div class="segments" role="group" aria-label="At a layer shift">
        {modes.map((mode) => <button key={mode} type="button" aria-pressed={now === mode} onClick={() => onChange(mode)}>{modeNames[mode]}</button>)}
      </div>
      <p class="muted small">{now === 'off' ? 'This print is not watched.' : modeAbout[now]}</p>
      {now !== 'off' && lacks && <p class="why"><Icon name="warn" size={18} /><span class="wrap">{lacks}</span></p>}
    </fieldset>
  )
}

/** What cannot watch although it could, after another set-up; "" nothing. */
export function lacking({ camera, endstops, card }: Pick<Guard, 'camera' | 'endstops' | 'card'>): string {
  const out = (w: Guard['camera']) => w.status === 'unset' || w.status === 'unable'
  if (!card || !out(camera) && !out(endstops)) return ''
  if (out(camera) && out(endstops)) return `Nothing can watch now. ${camera.why || endstops.why}`.trim()
  if (camera.status === 'unset') return `The camera cannot watch now. ${camera.why}`.trim()
  return out(endstops) && (card.endstops.x.usable || card.endstops.y.usable) ? `The endstops cannot be asked now${endstops.why && `: ${clause(endstops.why)}`}. Set them up again.` : ''
}
