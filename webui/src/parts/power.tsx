// The printer's power, on the Print screen: how it stands, the switch, and when it goes off by itself.
import { useState } from 'preact/hooks'
import { onText, readPowerState, type PowerState } from '../power'
import { allowed, asking, link, live, perform, tick } from '../state'
import { celsius, duration } from '../units'
import { hasJob, underWay } from '../words'
import type { ApiError, State } from '../wire'
import { Icon, Spinner } from './icon'
import { May } from './may'
import { Sheet } from './sheet'

/** apart: it stands alone, because the printer is switched off. */
export function PowerCard({ s, apart = false }: { s: State; apart?: boolean }) {
  void tick.value // the time runs down
  const [asked, setAsked] = useState(false)
  const p = readPowerState(s.power, 'power')
  const busy = asking('power') !== null
  const enabled = live.value && allowed('operator') && !busy
  const off = p.on === 'off'
  const printing = underWay(s)
  const sw = (on: boolean) => void perform('power', { do: 'power', on })
  return (
    <section class="card power" aria-label="Power" data-testid="power">
      {apart && off
        ? <h2><Icon name="power" /> The printer is switched off</h2>
        : p.after === 'counting'
          ? <h2><Icon name="power" /> <span role="timer">Power off in {duration(Math.max(0, (p.off_ms - link.clock.now()) / 1000))}</span></h2>
          : <div class="card-head"><h2><Icon name="power" /> Power</h2><p class="muted">{onText(p)}</p></div>}
      {p.problem && <p class="why"><Icon name="warn" size={20} /><span class="wrap">{p.problem}</span></p>}
      {waitText(p, s) && <p>{waitText(p, s)}</p>}
      {!p.after && p.why && <p class="muted">It stays on: {p.why}.</p>}
      <May><div class="card-actions">
        {p.after
          ? <button type="button" class={`btn${p.after === 'counting' ? ' primary' : ''}`} disabled={!enabled} onClick={() => void perform('power', { do: 'power_after', on: false })}>Keep on</button>
          : printing && <button type="button" class="btn" disabled={!enabled} onClick={() => void perform('power', { do: 'power_after', on: true })}>Off after this print</button>}
        {!printing && p.on !== 'on' && <button type="button" class={`btn${apart ? ' primary big' : ''}`} disabled={!enabled} onClick={() => sw(true)}>{busy ? <Spinner /> : <Icon name="power" />} Switch on</button>}
        {!printing && !off && <button type="button" class="btn" disabled={!enabled} aria-haspopup="dialog" onClick={() => setAsked(true)}>{busy ? <Spinner /> : <Icon name="power" />} Switch off</button>}
      </div></May>
      {asked && <OffSheet s={s} p={p} onClose={() => setAsked(false)} />}
    </section>
  )
}

/** What is waited for, in a sentence; "" nothing. */
export function waitText({ after, cool_c: cool }: Pick<PowerState, 'after' | 'cool_c'>, { nozzles }: Pick<State, 'nozzles'>): string {
  if (after === 'print') return 'Goes off after this print, once all is cool.'
  if (after !== 'cooling') return ''
  const hottest = Math.max(...nozzles.map((n) => n.actual_c))
  return `Goes off by itself once the nozzle is below ${celsius(cool)}${nozzles.length > 0 ? `: now ${celsius(hottest)}` : ''}.`
}

/** The question before it goes off. What is hot may go off once it is cool; at once only when somebody insists. */
function OffSheet({ s, p, onClose }: { s: State; p: PowerState; onClose: () => void }) {
  const [error, setError] = useState<ApiError | null>(null)
  const busy = asking('power') !== null
  const off = async (anyway: boolean) => {
    const answer = await perform('power', { do: 'power', on: false, ...(anyway && { anyway }) }, true)
    if (answer.error) setError(answer.error)
    else onClose()
  }
  const later = async () => {
    const answer = await perform('power', { do: 'power_after', on: true }, true)
    if (answer.error) setError(answer.error)
    else onClose()
  }
  const hot = s.nozzles.some((n) => n.actual_c > 50 || n.target_c > 50) && s.state !== 'disconnected'
  return (
    <Sheet title="Switch the printer off?" role="alertdialog" firm onClose={onClose}>
      <p>{hot ? `The nozzle is hot, and its fan would stop with the power. Let it cool below ${celsius(p.cool_c)} first: it goes off by itself then.` : `The printer loses its power. ${heatText(s)}`}</p>
      {error && <p class="problem" role="alert">{error.message} {error.next}</p>}
      <div class="sheet-actions">
        {hot
          ? <button type="button" class="btn primary" disabled={busy || !live.value} onClick={() => void later()}><Icon name="clock" /> Off after cool-down</button>
          : <button type="button" class="btn primary" disabled={busy || !live.value} onClick={() => void off(false)}>{busy ? <Spinner /> : <Icon name="power" />} Switch off</button>}
        {(hot || error?.code === 'hot') && <button type="button" class="btn danger" disabled={busy || !live.value || hasJob(s.state)} onClick={() => void off(true)}>Switch off hot</button>}
        <button type="button" class="btn" onClick={onClose}>Back</button>
      </div>
    </Sheet>
  )
}

/** What is known of heat while no nozzle is hot. */
function heatText({ nozzles, bed, chamber }: State): string {
  if (nozzles.length === 0) return 'Whether something is hot is not known.'
  return (bed?.actual_c ?? 0) > 50 || (chamber?.actual_c ?? 0) > 50 ? 'The nozzle is cool, the bed or the chamber is not yet.' : 'Nothing is hot.'
}

/** Before a print starts: whether the power goes off after it, this once. */
export function PowerLine({ s, value, disabled, onChange }: { s: State; value: boolean | null; disabled: boolean; onChange: (off: boolean) => void }) {
  const p = readPowerState(s.power, 'power')
  return <label class="check"><input type="checkbox" checked={value ?? p.after_print} disabled={disabled} onChange={(event) => onChange(event.currentTarget.checked)} /><span>Switch the power off afterwards, once all is cool</span></label>
}
