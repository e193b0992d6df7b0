// What the guard says on the Print screen: a chip while all is well or nothing can be told, and a card that nobody can miss when a shift was found.
import { chipWords, guard, unproven } from '../guard'
import { allowed, asking, guardSheet, live, perform } from '../state'
import type { Job, State } from '../wire'
import { AlarmCard, AlarmSheet, Unproven } from './alarm'
import { WatchSheet } from './guardsheet'
import { Icon, Spinner } from './icon'
import { Sheet } from './sheet'

export function GuardNow({ s, job }: { s: State; job: Job }) {
  const g = guard.value
  const open = guardSheet.value
  const close = () => (guardSheet.value = '')
  const found = g?.alarm ?? null
  const alarm = found && found.job === job.id && s.state !== 'cancelling' ? found : null
  const stands = s.state === 'paused' && s.pause?.by === 'shift'
  if (!g && !stands) return null
  return (
    <>
      {alarm ? <AlarmCard s={s} alarm={alarm} /> : stands ? <Stands /> : g && s.state !== 'cancelling' && <Chip />}
      {open !== '' && alarm && <AlarmSheet alarm={alarm} onClose={close} /> /* it takes the place of a sheet that says all is well */}
      {open === 'alarm' && !alarm && stands && (unproven(job.rehomed) ? <Unproven job={job.id} doubt={unproven(job.rehomed)} onBack={close} onClose={close} /> : <GoOn job={job.id} onClose={close} />)}
      {open === 'watch' && !alarm && g && <WatchSheet g={g} job={job} onClose={close} />}
    </>
  )
}

function Chip() {
  const g = guard.value
  if (!g) return null
  const { text, tone } = chipWords(g)
  return (
    <button type="button" class={`guard-chip tone-${tone}`} aria-haspopup="dialog" data-testid="guard-chip" onClick={() => (guardSheet.value = 'watch')}>
      <span class="dot" aria-hidden="true" /><span>{text}</span><Icon name="next" size={20} />
    </button>
  )
}

/** It stands for an alarm that somebody has answered. */
function Stands() {
  return (
    <section class="card notice-card" aria-label="Pause">
      <h2><Icon name="pause" /> Paused because of a layer shift</h2>
      <p>Somebody has seen to it. The print goes on when you say so.</p>
    </section>
  )
}

function GoOn({ job, onClose }: { job: string; onClose: () => void }) {
  return (
    <Sheet title="Resume the print?" role="alertdialog" firm onClose={onClose}>
      <p>It was paused because of a layer shift. It goes on from where it is now.</p>
      <div class="sheet-actions">
        <button type="button" class="btn primary" disabled={!live.value || !allowed('operator') || asking('job') !== null} onClick={() => {
          void perform('job', { do: 'resume', job })
          onClose()
        }}>{asking('job') ? <Spinner /> : <Icon name="play" />} Resume</button>
        <button type="button" class="btn" onClick={onClose}>Back</button>
      </div>
    </Sheet>
  )
}
