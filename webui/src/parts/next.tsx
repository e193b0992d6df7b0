// The next file of the queue, with the question that only a person can answer: is the bed clear?
import { useEffect, useState } from 'preact/hooks'
import { go, routeHash } from '../route'
import { followQueue, queue, type Entry } from '../shelf'
import { allowed, filesView, live, perform, state } from '../state'
import { duration } from '../units'
import { outcomeText } from '../words'
import type { ApiError, StopAt } from '../wire'
import { Icon, Spinner } from './icon'
import { Thumbnail } from './job'
import { lazy } from './lazy'
import { May } from './may'
import { Needs } from './spoolline'

const PowerLine = lazy(() => import('./power').then((m) => m.PowerLine), true)
const StopsChoice = lazy(() => import('./stops').then((m) => m.StopsChoice), true)

/** On the Print screen, while the printer is idle. After a print that did not end well the queue waits for a person to look. */
export function NextCard() {
  useEffect(followQueue, [])
  const first = queue.value?.[0]
  const last = state.value?.last_job
  if (!first) return null
  if (last && last.outcome !== 'done') {
    return (
      <section class="card" aria-label="Queue" data-testid="next">
        <p><strong>{queue.value?.length === 1 ? 'One file waits' : `${queue.value?.length ?? 0} files wait`} in the queue.</strong> The last print: {outcomeText(last.outcome).toLowerCase()}. Look at the printer before you go on.</p>
        <a class="btn" href={routeHash('files')} onClick={() => (filesView.value = 'Queue')}><Icon name="queue" /> Show the queue</a>
      </section>
    )
  }
  return <Next entry={first} />
}

/** One entry and the start of it; one tap, unless there are warnings. */
export function Next({ entry }: { entry: Entry }) {
  const [starting, setStarting] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const [stops, setStops] = useState<readonly StopAt[]>([]) // of this one print
  const [off, setOff] = useState<boolean | null>(null)
  const s = state.value
  const enabled = live.value && allowed('operator') && state.value?.state === 'idle'
  const start = async (anyway: boolean) => {
    setStarting(true)
    const answer = await perform('job', { do: 'start_next', entry: entry.id, ...(anyway ? { anyway } : {}), ...(stops.length > 0 && { stops }), ...(off !== null && { power_off: off }) }, true)
    setStarting(false)
    setError(answer.error)
    if (!answer.error) go('print')
  }
  const warned = error?.code === 'warning'
  return (
    <section class="card next" aria-label="Next in the queue" data-testid="next">
      <p class="kicker"><Icon name="queue" size={20} /> Next in the queue</p>
      <div class="job-head">
        <Thumbnail path={entry.file} version={entry.sha256} size={52} has={entry.thumbnail} />
        <div>
          <h2 class="job-name wrap">{entry.name}</h2>
          <p class="muted num">{[entry.copies > 1 ? `${entry.copies} copies left` : '', entry.estimate_s > 0 ? duration(entry.estimate_s) : ''].filter(Boolean).join(' · ')}</p>
        </div>
      </div>
      {entry.gone && <p class="why"><Icon name="warn" size={20} />This file is gone. Take it out of the queue.</p>}
      {!warned && <Needs needMM={entry.filament_mm} />}
      {error && (
        <div role="alert">
          <p><strong>{error.message}</strong></p>
          {error.warnings.length > 0 && <ul class="warnings">{error.warnings.map((text) => <li key={text}><Icon name="warn" size={20} /><span>{text}</span></li>)}</ul>}
          {error.next && <p>{error.next}</p>}
        </div>
      )}
      <May>
      {!entry.gone && <p><strong>Is the bed clear?</strong> Nothing may lie on it or be in the head's way.</p>}
      {!entry.gone && !warned && <StopsChoice path={entry.file} value={stops} disabled={starting} onChange={setStops} />}
      {!entry.gone && !warned && s?.power != null && <PowerLine s={s} value={off} disabled={starting} onChange={setOff} />}
      <div class="card-actions">
        {warned
          ? <button type="button" class="btn danger" disabled={!enabled || starting} onClick={() => void start(true)}>{starting && <Spinner />} Print anyway</button>
          : <button type="button" class="btn primary big" disabled={!enabled || starting || entry.gone} onClick={() => void start(false)}>{starting ? <><Spinner /> Starting…</> : <><Icon name="check" /> Bed is clear, print</>}</button>}
      </div>
      </May>
    </section>
  )
}
