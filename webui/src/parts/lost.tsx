// A print whose USB connection is gone, and which may go on when it is back.
import { useState } from 'preact/hooks'
import { asking, perform } from '../state'
import { stopwatch } from '../units'
import type { Fault, Job, State } from '../wire'
import { Said } from './cards'
import { Icon, Spinner } from './icon'
import { May } from './may'
import { Sheet } from './sheet'

interface LostProps {
  lost: NonNullable<State['lost']>
  fault: Fault
  job: Job
  enabled: boolean
  nowMs: number // layerd's clock
}

/** What to do, and the way out. What changes each second is no alert, which a screen reader would read again and again: the announcer says it once. */
export function LostCard({ lost, fault, job, enabled, nowMs }: LostProps) {
  const [confirming, setConfirming] = useState(false)
  const giving = asking('fault')?.do === 'dismiss'
  return (
    <>
      <section class="card alarm" aria-label="USB connection lost" data-testid="lost">
        <h2><Icon name="warn" /><span>The USB connection was lost <span class="num" role="timer">{stopwatch((nowMs - lost.since_ms) / 1000)}</span> ago</span></h2>
        <Said text={fault.said} who="The system said" />
        {lost.asking
          ? <p class="waits"><Spinner /> The port is back: asking the printer how far it came.</p>
          : <p class="next"><strong>What to do:</strong> {fault.next}</p>}
        <p class="muted small">Nozzle and bed may still be hot.</p>
        <May><div class="card-actions">
          <button type="button" class={`btn danger${giving ? ' busy' : ''}`} disabled={!enabled || giving} aria-haspopup="dialog" onClick={() => setConfirming(true)}>
            {giving ? <><Spinner /> Giving up…</> : 'Give up the print'}
          </button>
        </div></May>
      </section>
      {confirming && !giving && (
        <Sheet title="Give up this print?" role="alertdialog" firm onClose={() => setConfirming(false)}>
          <p><strong class="wrap">{job.name}</strong> cannot be continued afterwards. The history keeps how far it came.</p>
          <div class="sheet-actions">
            <button type="button" class="btn danger solid" disabled={!enabled} onClick={() => {
              setConfirming(false)
              void perform('fault', { do: 'dismiss' })
            }}>Give up the print</button>
            <button type="button" class="btn" onClick={() => setConfirming(false)}>Keep waiting</button>
          </div>
        </Sheet>
      )}
    </>
  )
}
