// Tuning while it prints: Z in small steps in thumb's reach, the rest in a sheet. Fetched when a print is first watched.
import { useEffect, useId, useState } from 'preact/hooks'
import { allowed, asking, live, perform } from '../state'
import { celsius, dash, trim, typed } from '../units'
import { hasJob, whyNot } from '../words'
import type { Doing, State } from '../wire'
import { heaterParts, type HeaterPart } from './heat'
import { Icon, Spinner } from './icon'
import { fan, flow, Percent, speed } from './percent'
import { Sheet } from './sheet'

const babysteps = [-0.05, -0.01, 0.01, 0.05] as const

export function TuneCard({ s }: { s: State }) {
  const [open, setOpen] = useState(false)
  const why = whyNot(s, live.value, allowed, 'connected')
  const printing = hasJob(s.state)
  return (
    <section class="card tune" aria-label="Tune">
      <div class="card-head">
        <h2>{printing ? 'Tune' : 'Nozzle height'}</h2>
        {printing && <button type="button" class="btn small" disabled={why !== ''} aria-haspopup="dialog" onClick={() => setOpen(true)}>More</button>}
      </div>
      {printing && <Babystep s={s} disabled={why !== ''} />}
      {!printing && s.tuning.babystep_unsaved_mm !== 0 && <Keep s={s} disabled={why !== ''} />}
      {open && <TuneSheet s={s} disabled={why !== ''} onClose={() => setOpen(false)} />}
    </section>
  )
}

/** −0.04, and never -0. */
export function signed(v: number, decimals: number): string {
  return withSign(v, trim(Math.abs(v), decimals))
}

/** −0.040: with all its decimals, for numbers that stand below each other. */
export function height(mm: number): string {
  return withSign(mm, Math.abs(mm).toFixed(3))
}

function withSign(v: number, text: string): string {
  return Number(text) === 0 ? text : `${v < 0 ? '−' : '+'}${text}`
}

function Babystep({ s, disabled }: { s: State; disabled: boolean }) {
  const { tuning } = s
  const why = !tuning.has_babystep ? noBabysteps(s) : !s.homed ? 'Z can be stepped when the printer knows where it is: after homing.' : ''
  const asked = asking('babystep')
  return (
    <div class="tune-z">
      <p class="tune-head">
        <strong>Nozzle height</strong>
        <output aria-label="Sum of the steps" class={asked ? 'num pending' : 'num'}>{asked && <Spinner />}{signed(tuning.babystep_mm, 3)} mm</output>
      </p>
      {why ? <p class="why"><Icon name="info" size={20} />{why}</p> : (
        <div class="tune-steps" role="group" aria-label="Nozzle height">
          {babysteps.map((by) => (
            <button key={by} type="button" class="btn" disabled={disabled} aria-label={`${by < 0 ? 'Down' : 'Up'} ${Math.abs(by)} mm`} onClick={() => void perform('babystep', { do: 'babystep', by_mm: by })}>
              <span><Icon name={by < 0 ? 'down' : 'up'} size={20} /><small class="num">{Math.abs(by)}</small></span>
            </button>
          ))}
        </div>
      )}
    </div>
  )
}

function noBabysteps(s: State): string {
  return s.connection.dialect === 'prusa'
    ? "This printer takes small steps in Z only at its own display: Live adjust Z."
    : 'This firmware has no small steps in Z (babysteps), as far as is known.'
}

/** After the print: what was found in it can be kept for the next. */
function Keep({ s, disabled }: { s: State; disabled: boolean }) {
  const busy = asking('save_babystep') !== null
  const owner = allowed('owner')
  return (
    <>
      <p>In the last print the nozzle was moved by <strong class="num">{signed(s.tuning.babystep_unsaved_mm, 3)} mm</strong>. The printer forgets that when it homes, unless it is saved with its probe's offset.</p>
      <p class="muted small">Saving keeps all that is set in the printer now, also what a file has set (M201, M204, M900). layerd keeps a copy of it first.</p>
      <button type="button" class="btn" disabled={disabled || busy || !owner} onClick={() => void perform('save_babystep', { do: 'save_babystep' })}>{busy ? <Spinner /> : <Icon name="check" />} Save in the printer</button>
      {!owner && <p class="why"><Icon name="lock" size={20} />Only an owner may save it.</p>}
    </>
  )
}

export function TuneSheet({ s, disabled, onClose }: { s: State; disabled: boolean; onClose: () => void }) {
  const { tuning } = s
  const unknown = tuning.has_advance && tuning.pressure_advance === null || tuning.has_acceleration && tuning.acceleration_mm_s2 === 0
  useEffect(() => {
    if (unknown && !disabled) void perform('read_tuning', { do: 'read_tuning' }, true)
  }, [])
  const warm = heaterParts(s).filter((part) => part.heater && part.heater.target_c > 0)
  return (
    <Sheet title="Tune" onClose={onClose}>
      <Babystep s={s} disabled={disabled} />
      <div class="tune-rows">
        <Percent {...speed} value={s.speed_percent} disabled={disabled} />
        <Percent {...flow} value={s.flow_percent} disabled={disabled} />
        <Percent {...fan} value={s.fan_percent} disabled={disabled} />
      </div>
      {warm.map((part) => <HeatSteps key={part.key} part={part} disabled={disabled} />)}
      {tuning.has_advance && (
        <Steps name="Pressure advance" askKey="advance" value={tuning.pressure_advance} unit="" decimals={4} by={[-0.01, -0.002, 0.002, 0.01]} min={0} max={2} disabled={disabled}
          doing={(factor) => ({ do: 'set_advance', tool: 0, factor })} />
      )}
      {tuning.has_acceleration && (
        <Steps name="Acceleration" askKey="acceleration" value={tuning.acceleration_mm_s2 > 0 ? tuning.acceleration_mm_s2 : null} unit="mm/s²" decimals={0} by={[-500, -100, 100, 500]} min={50} max={50000} disabled={disabled}
          doing={(acceleration_mm_s2) => ({ do: 'set_acceleration', acceleration_mm_s2 })} />
      )}
    </Sheet>
  )
}

function HeatSteps({ part, disabled }: { part: HeaterPart; disabled: boolean }) {
  const asked = asking(part.key)
  const target = asked && 'target_c' in asked ? asked.target_c : part.heater?.target_c ?? 0
  return (
    <Steps name={part.name} askKey={part.key} value={target} unit="°C" decimals={0} by={[-5, -1, 1, 5]} min={1} max={part.maxC} disabled={disabled} doing={part.doing}
      note={part.heater ? `now ${celsius(part.heater.actual_c)}` : ''} />
  )
}

interface StepsProps {
  name: string
  askKey: string // of the pending map
  value: number | null // null: not known; then it is typed
  unit: string
  decimals: number
  by: readonly number[]
  min: number
  max: number
  disabled: boolean
  note?: string
  doing: (value: number) => Doing
}

/** A number to change by steps. */
export function Steps({ name, askKey, value, unit, decimals, by, min, max, disabled, note = '', doing }: StepsProps) {
  const asked = asking(askKey)
  const set = (next: number) => void perform(askKey, doing(Number(Math.max(min, Math.min(max, next)).toFixed(decimals))))
  return (
    <div class="tune-z">
      <p class="tune-head">
        <strong>{name}</strong>
        {note && <small class="muted num">{note}</small>}
        <output class={asked ? 'num pending' : 'num'}>{asked && <Spinner />}{value === null ? dash : trim(value, decimals)} {unit}</output>
      </p>
      {value === null
        ? <Field name={name} min={min} max={max} disabled={disabled} onSet={set} />
        : (
          <div class="tune-steps" role="group" aria-label={name}>
            {by.map((step) => (
              <button key={step} type="button" class="btn" disabled={disabled || value + step < min - 1e-9 || value + step > max + 1e-9} aria-label={`${name} ${step < 0 ? 'minus' : 'plus'} ${Math.abs(step)} ${unit}`.trim()} onClick={() => set(value + step)}>
                <span class="num">{signed(step, decimals)}</span>
              </button>
            ))}
          </div>
        )}
    </div>
  )
}

/** What the printer does not tell can still be set. */
function Field({ name, min, max, disabled, onSet }: { name: string; min: number; max: number; disabled: boolean; onSet: (value: number) => void }) {
  const id = useId()
  const [text, setText] = useState('')
  const value = typed(text)
  const problem = text !== '' && !(value >= min && value <= max) ? `Allowed is ${min} to ${max}.` : ''
  return (
    <form class="inline-form" onSubmit={(event) => {
      event.preventDefault()
      if (text !== '' && !problem) onSet(value)
    }}>
      <div class="field">
        <label for={id}>{name}: the printer does not tell it</label>
        <input id={id} type="text" inputMode="decimal" autocomplete="off" value={text} disabled={disabled} aria-invalid={problem !== ''} aria-describedby={`${id}p`} onInput={(event) => setText(event.currentTarget.value)} />
      </div>
      <button type="submit" class="btn" disabled={disabled || text === '' || problem !== ''}>Set</button>
      <p id={`${id}p`} class="problem" aria-live="polite">{problem}</p>
    </form>
  )
}
