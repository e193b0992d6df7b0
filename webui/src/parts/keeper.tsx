// What is hot while nobody prints, and for how long; and whether the firmware watches its heaters.
import { allowed, asking, link, live, perform, tick } from '../state'
import { clock, duration } from '../units'
import type { Keeper, State } from '../wire'
import { Icon, Spinner } from './icon'
import { May } from './may'

export function HeatCard({ s }: { s: State }) {
  void tick.value // the time runs down
  const k = s.keeper
  const now = link.clock.now()
  const going = [until('Nozzle', k.nozzle_off_ms, now), until(s.profile.heated_chamber ? 'Bed and chamber' : 'Bed', k.bed_off_ms, now)].filter(Boolean)
  const gone = cooledText(k)
  if (going.length === 0 && !gone) return null
  const asked = asking('warm') !== null
  return (
    <section class="card" aria-label="Heat" data-testid="keeper">
      {going.length > 0 && (
        <>
          <h2>Heat goes off by itself</h2>
          <p class="num" role="timer">{going.join(' · ')}</p>
          {k.elsewhere && <p>It was not layerd that heated it: somebody at the printer, or another program.</p>}
        </>
      )}
      {gone && <p class="num">{gone}{s.state === 'paused' && ' Resume heats it again before anything moves.'}</p>}
      {going.length > 0 && (
        <May><div class="card-actions">
          <button type="button" class={`btn${asked ? ' busy' : ''}`} disabled={!live.value || !allowed('operator') || asked} onClick={() => void perform('warm', { do: 'keep_warm' })}>
            {asked && <Spinner />}Keep warm
          </button>
        </div></May>
      )}
    </section>
  )
}

function until(what: string, offMs: number, nowMs: number): string {
  return offMs > 0 ? `${what} off in ${duration(Math.max(0, (offMs - nowMs) / 1000))}` : ''
}

/** What the keeper has done, in one sentence; "" nothing. */
export function cooledText({ nozzle_cooled_ms: nozzle, bed_cooled_ms: bed }: Pick<Keeper, 'nozzle_cooled_ms' | 'bed_cooled_ms'>): string {
  if (nozzle > 0 && bed > 0) return `The nozzle was switched off at ${clock(nozzle)}, the bed at ${clock(bed)}.`
  return nozzle > 0 ? `The nozzle was switched off at ${clock(nozzle)}.` : bed > 0 ? `The bed was switched off at ${clock(bed)}.` : ''
}

/** A standing warning where nobody but layerd watches the heaters. */
export function Protection({ protection }: { protection: string }) {
  if (protection !== 'off' && protection !== 'unknown') return null
  return (
    <section class="card notice-card" aria-label="Thermal protection" data-testid="protection">
      <h2><Icon name="warn" /> {protection === 'off' ? "This printer's thermal protection is off" : 'No word of thermal protection'}</h2>
      <p>{protection === 'off' ? 'A heater that fails could burn.' : 'This printer does not say whether its firmware has it. Without it, a heater that fails could burn.'} layerd watches too, but only over a cable: do not leave this printer alone before its firmware does.</p>
    </section>
  )
}
