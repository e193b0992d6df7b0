// Filament forward and back; only when the nozzle is hot enough, or it would grind.
import { useState } from 'preact/hooks'
import { asking, perform } from '../state'
import { celsius } from '../units'
import type { State } from '../wire'
import { Icon, Spinner } from './icon'
import { lazy } from './lazy'

const ChangeSheet = lazy(() => import('./change').then((m) => m.ChangeSheet))

const lengths = [1, 5, 10, 50] as const

export function Extruder({ s, why }: { s: State; why: string }) {
  const [length, setLength] = useState<number>(5)
  const [changing, setChanging] = useState(false)
  const nozzle = s.nozzles[0]
  const cold = !nozzle || nozzle.actual_c < s.profile.min_extrude_c
  const reason = why || (cold ? `The nozzle is too cold: at least ${celsius(s.profile.min_extrude_c)} is needed${nozzle ? `, it is at ${celsius(nozzle.actual_c)}` : ''}.` : '')
  const busy = asking('extrude') !== null
  const go = (by_mm: number) => void perform('extrude', { do: 'extrude', by_mm })
  return (
    <section class="card" aria-label="Filament">
      <div class="card-head"><h2>Filament</h2>{busy && <Spinner />}</div>
      <div class="segments" role="radiogroup" aria-label="Length">
        {lengths.map((mm) => <button key={mm} type="button" role="radio" aria-checked={length === mm} onClick={() => setLength(mm)}>{mm} mm</button>)}
      </div>
      <div class="button-row">
        <button type="button" class="btn" disabled={reason !== ''} aria-describedby="why-extrude" onClick={() => go(-length)}><Icon name="up" size={20} /> Retract</button>
        <button type="button" class="btn" disabled={reason !== ''} aria-describedby="why-extrude" onClick={() => go(length)}><Icon name="down" size={20} /> Extrude</button>
      </div>
      <button type="button" class="btn wide" disabled={why !== ''} aria-haspopup="dialog" onClick={() => setChanging(true)}><Icon name="spool" /> Change filament</button>
      {changing && <ChangeSheet onClose={() => setChanging(false)} />}
      <p id="why-extrude" class="why">{!why && reason && <><Icon name="info" size={20} />{reason}</>}</p>
    </section>
  )
}
