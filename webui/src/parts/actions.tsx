// The bar in thumb's reach: Pause or Resume, and Stop. What they say changes with the printer, never before it.
import { useState } from 'preact/hooks'
import { asking, guardSheet, perform, state as now } from '../state'
import type { Job, StateName } from '../wire'
import { HoldButton } from './hold'
import { Icon, Spinner } from './icon'
import { Sheet } from './sheet'

interface ActionsProps {
  state: StateName
  job: Pick<Job, 'id' | 'name'>
  enabled: boolean
  /** It is printed from the printer's own card: how it pauses and ends is the firmware's affair. */
  card?: boolean
}

export function Actions({ state, job, enabled, card = false }: ActionsProps) {
  const [confirming, setConfirming] = useState(false)
  const asked = asking('job')?.do
  const stop = () => {
    setConfirming(false)
    void perform('job', { do: 'cancel', job: job.id })
  }
  const stopping = asked === 'cancel' || state === 'cancelling'
  return (
    <>
      <div class="actions" role="group" aria-label="Print controls">
        {stopping ? <Busy text="Stopping…" note={card ? 'Cooling down' : 'Cooling down and parking'} /> : <Main state={state} job={job} enabled={enabled} card={card} asked={asked} />}
        <HoldButton label="Stop print: hold for one second" disabled={!enabled || stopping} onHeld={stop} onTap={() => setConfirming(true)}>
          <span>Stop<small>hold 1 s</small></span>
        </HoldButton>
      </div>
      {confirming && !stopping && (
        <Sheet title="Stop this print?" role="alertdialog" firm onClose={() => setConfirming(false)}>
          <p><strong class="wrap">{job.name}</strong> cannot be continued afterwards. The printer cools down{!card && ' and parks'}.</p>
          <div class="sheet-actions">
            <button type="button" class="btn danger solid" disabled={!enabled} onClick={stop}>Stop print</button>
            <button type="button" class="btn" onClick={() => setConfirming(false)}>Keep printing</button>
          </div>
          <p class="muted small">To stop without this question, hold the Stop button for one second.</p>
        </Sheet>
      )}
    </>
  )
}

function Main({ state, job, enabled, card, asked }: ActionsProps & { asked: string | undefined }) {
  if (asked === 'pause' || state === 'pausing') return <Busy text="Pausing…" note="The head is still moving" />
  if (asked === 'resume' || state === 'resuming') return <Busy text="Resuming…" note={card ? 'As the printer does it' : 'Heating and going back'} />
  if (state === 'paused') {
    if (now.value?.pause?.by === 'shift') return <button type="button" class="btn primary big" aria-haspopup="dialog" onClick={() => (guardSheet.value = 'alarm')}><Icon name="warn" /> What now?</button>
    return (
      <button type="button" class="btn primary big" disabled={!enabled} onClick={() => void perform('job', { do: 'resume', job: job.id })}>
        <Icon name="play" /> Resume
      </button>
    )
  }
  if (state === 'finishing') return <Busy text="Finishing…" note="The last moves are running" />
  return (
    <button type="button" class="btn primary big" disabled={!enabled} onClick={() => void perform('job', { do: 'pause', job: job.id })}>
      <Icon name="pause" /> Pause
    </button>
  )
}

function Busy({ text, note }: { text: string; note: string }) {
  return (
    <button type="button" class="btn primary big busy" disabled>
      <Spinner /><span>{text}<small>{note}</small></span>
    </button>
  )
}
