// Pauses that a print still comes to, with their times; and the file's own as marks on its progress. Fetched when a print is watched.
import { pausesAhead, useLayers, whenText, type LayerTimes } from '../times'
import type { Job } from '../wire'
import { Icon } from './icon'

/** Where the file itself waits for a person, on the bar of its progress. What a person has set is in the state, and stands there already. */
export function FileMarks({ job }: { job: Job }) {
  const { pauses } = useLayers(job)
  return <>{pauses.map((pause, i) => <i key={i} data-testid="file-pause" class={pause.percent <= job.percent ? 'passed' : pause.kind === 'filament' ? 'change' : ''} style={{ left: `${pause.percent}%` }} />)}</>
}

/** The list of them, the next one first. */
export function PausesAhead({ job, times, running, now }: { job: Job; times: LayerTimes; running: boolean; now: number }) {
  const ahead = pausesAhead(times, job)
  if (ahead.length === 0) return null
  return (
    <section aria-label="Pauses to come">
      <h3>Pauses to come</h3>
      <ul class="stops ahead">
        {ahead.map((one) => (
          <li key={one.key}>
            <Icon name={one.change ? 'spool' : 'pause'} size={20} />
            <span class="wrap"><strong class="num">{one.where}</strong><small>{one.what}</small></span>
            <span class="num">{whenText(one.inS, running, now)}</span>
          </li>
        ))}
      </ul>
      <p class="muted small">How long it stands there is not counted.</p>
    </section>
  )
}
