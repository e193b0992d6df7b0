// Moving by hand: home, jog, filament, heat, fan, speed and flow. What cannot be used now says why.
import { useState } from 'preact/hooks'
import { Extruder } from '../parts/extruder'
import { Icon, Spinner } from '../parts/icon'
import { JogPad } from '../parts/jog'
import { lazy } from '../parts/lazy'
import { fan, flow, Percent, speed } from '../parts/percent'
import { allowed, asking, live, perform, state } from '../state'
import { dash, trim } from '../units'
import { whyNot } from '../words'
import type { State } from '../wire'

const CustomButtons = lazy(() => import('../parts/press').then((m) => m.CustomButtons))

const steps = [0.1, 1, 10, 50] as const

export function MoveScreen() {
  const s = state.value
  if (!s) return <p class="center muted"><Spinner /></p>
  if (!allowed('operator')) return <p class="why bar"><Icon name="lock" size={20} />You may look, but not move anything.</p>
  const why = whyNot(s, live.value, allowed, 'free')
  const paused = s.state === 'paused'
  const whyHeat = whyNot(s, live.value, allowed, 'connected')
  return (
    <>
      {why && <p class="why bar" role="status"><Icon name="info" size={20} />{why}</p>}
      {paused && !why && <p class="why bar" role="status"><Icon name="info" size={20} />The print is paused: what is moved here goes back to its place on Resume. Z cannot be homed.</p>}
      <div class="columns">
        <Jog s={s} disabled={why !== ''} paused={paused} />
        <div class="column">
          <Extruder s={s} why={why} />
          <Presets s={s} disabled={whyHeat !== ''} />
        </div>
        <section class="card" aria-label="Fan, speed and flow">
          <Percent {...fan} value={s.fan_percent} disabled={whyHeat !== ''} />
          <Percent {...speed} value={s.speed_percent} disabled={whyHeat !== ''} />
          <Percent {...flow} value={s.flow_percent} disabled={whyHeat !== ''} />
        </section>
        <CustomButtons />
      </div>
    </>
  )
}

/** paused: in the middle of a print, where homing Z would press the nozzle into it. */
function Jog({ s, disabled, paused }: { s: State; disabled: boolean; paused: boolean }) {
  const [step, setStep] = useState<number>(10)
  const busy = asking('jog') !== null
  const p = s.position
  const home = (axes: string) => void perform('home', { do: 'home', axes })
  const homing = asking('home')
  return (
    <section class="card" aria-label="Head">
      <div class="card-head">
        <h2>Head</h2>
        <p class="position num" aria-label="Position">
          {(['x', 'y', 'z'] as const).map((axis) => <span key={axis}><small>{axis.toUpperCase()}</small> {p ? trim(p[`${axis}_mm`], 1) : dash}</span>)}
        </p>
      </div>
      {!s.homed && !disabled && <p class="why"><Icon name="info" size={20} />Home first: the printer does not know where the head is.</p>}
      <div class="segments" role="radiogroup" aria-label="Step">
        {steps.map((mm) => <button key={mm} type="button" role="radio" aria-checked={step === mm} onClick={() => setStep(mm)}>{mm} mm</button>)}
      </div>
      <JogPad step={step} disabled={disabled} noHomeZ={paused} busy={busy} onJog={(axes, by_mm) => void perform('jog', { do: 'jog', axes, by_mm })} onHome={home} />
      <div class="button-row">
        <button type="button" class="btn" disabled={disabled || paused} onClick={() => home('')}>{homing ? <Spinner /> : <Icon name="home" />} Home all</button>
        <button type="button" class="btn" disabled={disabled || paused} onClick={() => void perform('motors', { do: 'motors_off' })}>Motors off</button>
      </div>
      {s.profile.kinematics !== 'delta' && (
        <div class="button-row three">
          {['x', 'y', 'z'].map((axis) => <button key={axis} type="button" class="btn" disabled={disabled || paused && axis === 'z'} aria-label={`Home ${axis.toUpperCase()}`} onClick={() => home(axis)}><Icon name="home" size={20} /> {axis.toUpperCase()}</button>)}
        </div>
      )}
    </section>
  )
}

const materials = [
  { name: 'PLA', nozzleC: 200, bedC: 60 },
  { name: 'PETG', nozzleC: 230, bedC: 80 },
  { name: 'ABS', nozzleC: 240, bedC: 100 },
] as const

function Presets({ s, disabled }: { s: State; disabled: boolean }) {
  const heat = (nozzleC: number, bedC: number) => {
    void perform('nozzle0', { do: 'set_nozzle', tool: 0, target_c: nozzleC })
    if (s.profile.heated_bed) void perform('bed', { do: 'set_bed', target_c: bedC })
  }
  const coolDown = () => {
    heat(0, 0)
    for (let tool = 1; tool < s.profile.nozzles && !s.profile.shared_nozzle; tool++) void perform(`nozzle${tool}`, { do: 'set_nozzle', tool, target_c: 0 })
    if (s.profile.heated_chamber) void perform('chamber', { do: 'set_chamber', target_c: 0 })
  }
  const nozzle = s.nozzles[0]
  return (
    <section class="card" aria-label="Heat">
      <div class="card-head">
        <h2>Heat</h2>
        <p class="position num">
          <span><small>Nozzle</small> {nozzle ? `${Math.round(nozzle.actual_c)}°` : dash}</span>
          {s.bed && <span><small>Bed</small> {Math.round(s.bed.actual_c)}°</span>}
        </p>
      </div>
      <div class="button-row presets">
        {materials.filter((m) => m.nozzleC <= s.profile.max_nozzle_c).map((m) => (
          <button key={m.name} type="button" class="btn" disabled={disabled} onClick={() => heat(m.nozzleC, Math.min(m.bedC, s.profile.max_bed_c))}>
            <span>{m.name}<small class="num">{m.nozzleC}° / {Math.min(m.bedC, s.profile.max_bed_c)}°</small></span>
          </button>
        ))}
        <button type="button" class="btn" disabled={disabled} onClick={coolDown}>Cool down</button>
      </div>
    </section>
  )
}
