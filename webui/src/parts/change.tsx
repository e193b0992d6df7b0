// Changing the filament by hand, step by step: in a pause, where the head is parked and Resume goes on, and at any other time from the Move screen.
import { useEffect, useId, useState } from 'preact/hooks'
import { go } from '../route'
import { followShelf, shelf, spoolOn } from '../shelf'
import { allowed, asking, live, perform, state } from '../state'
import { celsius } from '../units'
import { whyNot } from '../words'
import type { State } from '../wire'
import { Icon, Spinner } from './icon'
import { Sheet } from './sheet'
import { leftText, Swatch } from './spoolline'

// Lengths in mm and speeds in mm/s that do no harm in any extruder: a longer way, as with a Bowden tube, takes more taps. Marlin's own M702 unloads
// 100 mm at 10 mm/s, loads at 6 and purges at 3 (Configuration_adv.h, ADVANCED_PAUSE_FEATURE).
const softenMM = 5 // pushed before the first pull, so that no cold plug sticks in the heat break
const unload = { by_mm: -100, mm_s: 10 }
const load = { by_mm: 50, mm_s: 5 }
const purge = { by_mm: 20 }

const warmths = [{ name: 'PLA', c: 200 }, { name: 'PETG', c: 230 }, { name: 'ABS', c: 240 }] as const

export function ChangeSteps({ s, enabled }: { s: State; enabled: boolean }) {
  const id = useId()
  const [softened, setSoftened] = useState(false)
  const [tool, setTool] = useState(0)
  useEffect(followShelf, []) // whether there is a step for the spool
  const nozzle = s.nozzles[tool] ?? { actual_c: 0, target_c: 0 }
  const hottest = s.nozzles.reduce((best, h) => (h.actual_c > best.actual_c ? h : best), nozzle)
  const hot = hottest.actual_c >= s.profile.min_extrude_c
  const asked = asking('extrude')
  const paused = s.state === 'paused'
  const push = (move: { by_mm: number; mm_s?: number }) => void perform('extrude', { do: 'extrude', ...move })
  const pull = async () => {
    if (!softened) {
      setSoftened(true)
      const first = await perform('extrude', { do: 'extrude', by_mm: softenMM })
      if (first.error) return
    }
    push(unload)
  }
  const step = (button: string, lengths: readonly number[], onClick: () => void) => {
    const busy = asked?.do === 'extrude' && lengths.includes(asked.by_mm)
    return (
      <button type="button" class={`btn small${busy ? ' busy' : ''}`} aria-describedby={hot ? undefined : id} disabled={!enabled || !hot || busy} onClick={onClick}>
        {busy && <Spinner />}{button}
      </button>
    )
  }
  return (
    <ol class="steps">
      <li class="wide">
        <div><strong>Heat</strong><p id={id}>{hot
          ? `The nozzle ${nozzle.target_c > 0 ? 'stays hot' : 'is hot'}: ${celsius(hottest.actual_c)}.`
          : nozzle.target_c > 0 ? `The nozzle is at ${celsius(hottest.actual_c)} and heats to ${celsius(nozzle.target_c)}.`
            : `The nozzle is at ${celsius(hottest.actual_c)}, and filament moves at ${celsius(s.profile.min_extrude_c)} or more.`}</p></div>
        {s.profile.nozzles > 1 && (
          <select aria-label="Nozzle" value={tool} onChange={(event) => setTool(Number(event.currentTarget.value))}>
            {Array.from({ length: s.profile.nozzles }, (_, i) => <option key={i} value={i}>Nozzle {i + 1}</option>)}
          </select>
        )}
        {s.profile.nozzles > 1 && <p class="muted">Unloading and loading move the filament of the nozzle that is in use.</p>}
        <div class="chips">
          {warmths.filter(({ c }) => c <= s.profile.max_nozzle_c).map(({ name, c }) => (
            <button key={name} type="button" class="chip" aria-pressed={nozzle.target_c === c} disabled={!enabled} onClick={() => void perform(`nozzle${tool}`, { do: 'set_nozzle', tool, target_c: c })}>{name} <strong>{c}°</strong></button>
          ))}
        </div>
      </li>
      <li>
        <div><strong>Unload</strong><p>Tap until the old one comes out, or pull when it is loose.</p></div>
        {step('Unload 100 mm', [softenMM, unload.by_mm], () => void pull())}
      </li>
      {hasSpools() && <li class="wide"><SpoolChoice tool={tool} enabled={enabled} /></li>}
      <li>
        <div><strong>Load</strong><p>Push the new one in until the gears grip it, then tap until it melts out.</p></div>
        {step('Load 50 mm', [load.by_mm], () => push(load))}
      </li>
      <li>
        <div><strong>Purge</strong><p>As often as it takes until the colour is clean.</p></div>
        {step('Purge 20 mm', [purge.by_mm], () => push(purge))}
      </li>
      {paused && <li><div><strong>Go on</strong><p>Take away what came out, then tap Resume.</p></div></li>}
    </ol>
  )
}

const hasSpools = () => shelf.value?.spools.some((one) => !one.archived) ?? false

/** Which spool is on now: what is printed from here on is taken off it. Nothing, where there are no spools. */
export function SpoolChoice({ tool, enabled }: { tool: number; enabled: boolean }) {
  useEffect(followShelf, [])
  const all = shelf.value
  if (!all || !hasSpools()) return null
  const usable = all.spools.filter((one) => !one.archived)
  const on = spoolOn(all, tool)
  const asked = asking('spool') !== null
  return (
    <div class="spool-choice">
      <strong>Spool</strong>
      <p>{on && <Swatch colour={on.colour} />} {on ? 'If you put another one on, choose it: what is printed from here on is taken off it.' : 'Choose the one that you put on.'}</p>
      <select aria-label="Spool that is on" value={on?.id ?? 0} disabled={!enabled || asked} onChange={(event) => void perform('spool', { do: 'set_spool', tool, spool_id: Number(event.currentTarget.value) })}>
        <option value={0}>None of these</option>
        {usable.map((one) => <option key={one.id} value={one.id}>{[one.name, leftText(one)].filter(Boolean).join(', ')}</option>)}
      </select>
    </div>
  )
}

/** The same as a sheet, while nothing is printed. */
export function ChangeSheet({ onClose }: { onClose: () => void }) {
  const s = state.value
  if (!s) return null
  const why = whyNot(s, live.value, allowed, 'free')
  const coolDown = () => {
    void perform('nozzle0', { do: 'set_nozzle', tool: 0, target_c: 0 })
    onClose()
  }
  const resume = (job: string) => {
    void perform('job', { do: 'resume', job })
    onClose()
    go('print')
  }
  return (
    <Sheet title="Change filament" onClose={onClose}>
      {why && <p class="why"><Icon name="info" size={20} />{why}</p>}
      <ChangeSteps s={s} enabled={why === ''} />
      <div class="sheet-actions">
        {s.state === 'paused' && s.job && <button type="button" class="btn primary" disabled={why !== ''} onClick={() => resume(s.job?.id ?? '')}><Icon name="play" /> Resume print</button>}
        <button type="button" class={`btn${s.state === 'paused' ? '' : ' primary'}`} onClick={onClose}><Icon name="check" /> Done</button>
        {s.state === 'idle' && <button type="button" class="btn" disabled={why !== ''} onClick={coolDown}>Done, and cool down</button>}
      </div>
    </Sheet>
  )
}
