// Temperatures: a tile for each heater, and the sheet in which its target is set.
import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import { allowed, asking, perform } from '../state'
import { celsius, clock, dash, typed } from '../units'
import type { Doing, Heater, State } from '../wire'
import { Icon, Spinner, type IconName } from './icon'
import { Sheet } from './sheet'

export interface HeaterPart {
  key: string // of the pending map
  name: string
  icon: IconName
  heater: Heater | null
  maxC: number
  presets: readonly { name: string; targetC: number }[]
  doing: (targetC: number) => Doing
}

const nozzlePresets = [{ name: 'PLA', targetC: 200 }, { name: 'PETG', targetC: 230 }, { name: 'ABS', targetC: 240 }]
const bedPresets = [{ name: 'PLA', targetC: 60 }, { name: 'PETG', targetC: 80 }, { name: 'ABS', targetC: 100 }]
const chamberPresets = [{ name: 'Warm', targetC: 40 }, { name: 'ABS', targetC: 60 }]

/** The heaters that this machine has, in the order of the tiles. */
export function heaterParts(s: State): HeaterPart[] {
  const { profile } = s
  const parts: HeaterPart[] = []
  const nozzles = profile.shared_nozzle ? 1 : Math.max(profile.nozzles, s.nozzles.length)
  for (let tool = 0; tool < nozzles; tool++) {
    parts.push({
      key: `nozzle${tool}`, name: nozzles > 1 ? `Nozzle ${tool + 1}` : 'Nozzle', icon: 'nozzle', heater: s.nozzles[tool] ?? null,
      maxC: profile.max_nozzle_c, presets: nozzlePresets, doing: (target_c) => ({ do: 'set_nozzle', tool, target_c }),
    })
  }
  if (profile.heated_bed || s.bed) {
    parts.push({ key: 'bed', name: 'Bed', icon: 'bed', heater: s.bed, maxC: profile.max_bed_c, presets: bedPresets, doing: (target_c) => ({ do: 'set_bed', target_c }) })
  }
  if (profile.heated_chamber || s.chamber) {
    parts.push({ key: 'chamber', name: 'Chamber', icon: 'chamber', heater: s.chamber, maxC: profile.max_chamber_c, presets: chamberPresets, doing: (target_c) => ({ do: 'set_chamber', target_c }) })
  }
  return parts
}

interface TileProps { spoken: string; look?: string; disabled: boolean; onOpen: () => void; children: ComponentChildren }

/** A value; a button for those who may set it. */
export function Tile({ spoken, look = '', disabled, onOpen, children }: TileProps) {
  return allowed('operator')
    ? <button type="button" class={`tile${look}`} aria-label={spoken} aria-haspopup="dialog" disabled={disabled} onClick={onOpen}>{children}</button>
    : <div class={`tile${look}`} role="img" aria-label={spoken}>{children}</div>
}

/** oldMs: when the temperatures are from, if they are too old to be called current; else 0. */
export function HeaterTile({ part, oldMs, disabled, onOpen }: { part: HeaterPart; oldMs: number; disabled: boolean; onOpen: () => void }) {
  const asked = asking(part.key)
  const wanted = asked && 'target_c' in asked ? asked.target_c : null
  const { heater } = part
  const target = wanted ?? heater?.target_c ?? 0
  const on = target > 0
  const actual = heater ? `${Math.round(heater.actual_c)}°` : dash
  const spoken = `${part.name}: ${heater ? celsius(heater.actual_c) : 'unknown'}, ${on ? `target ${celsius(target)}` : 'off'}`
  return (
    <Tile spoken={spoken} look={` heat${on ? ' on' : ''}${oldMs ? ' stale' : ''}`} disabled={disabled} onOpen={onOpen}>
      <span class="tile-name"><Icon name={part.icon} size={18} />{part.name}</span>
      <span class="tile-value">{actual}<small>{on ? ` / ${Math.round(target)}°` : heater ? ' off' : ''}</small>{wanted !== null && <Spinner />}</span>
      {oldMs > 0 ? <span class="tile-note">from {clock(oldMs)}</span> : <span class="tile-bar" aria-hidden="true"><i style={{ width: `${on && heater ? Math.min(100, (heater.actual_c / target) * 100) : 0}%` }} /></span>}
    </Tile>
  )
}

export function HeaterSheet({ part, onClose }: { part: HeaterPart; onClose: () => void }) {
  const id = useId()
  const [text, setText] = useState('')
  const value = typed(text)
  const problem = text === '' ? '' : Number.isNaN(value) ? 'That is not a number.' : value < 0 || value > part.maxC ? `Allowed is 0 to ${celsius(part.maxC)}.` : ''
  const set = (targetC: number) => {
    onClose()
    void perform(part.key, part.doing(targetC))
  }
  const { heater } = part
  return (
    <Sheet title={part.name} onClose={onClose}>
      <p class="sheet-now">{heater ? <>Now <strong>{celsius(heater.actual_c)}</strong>, target <strong>{heater.target_c > 0 ? celsius(heater.target_c) : 'off'}</strong></> : 'No temperature was reported yet.'}</p>
      <div class="chips">
        <button type="button" class="chip" onClick={() => set(0)}>Off</button>
        {part.presets.filter((p) => p.targetC <= part.maxC).map((p) => (
          <button key={p.name} type="button" class="chip" onClick={() => set(p.targetC)}>{p.name} <strong>{p.targetC}°</strong></button>
        ))}
      </div>
      <form class="inline-form" onSubmit={(event) => {
        event.preventDefault()
        if (text !== '' && !problem) set(value)
      }}>
        <div class="field">
          <label for={id}>Target in °C</label>
          <input id={id} type="text" inputMode="decimal" autocomplete="off" value={text} placeholder={`0–${Math.round(part.maxC)}`}
            aria-invalid={problem !== ''} aria-describedby={`${id}p`} onInput={(event) => setText(event.currentTarget.value)} />
        </div>
        <button type="submit" class="btn primary" disabled={text === '' || problem !== ''}>Set</button>
      </form>
      <p id={`${id}p`} class="problem" aria-live="polite">{problem}</p>
    </Sheet>
  )
}
