// When a layer of the print under way is done: a slider over the layers that are still to come, or a height typed in. Fetched when it is asked for.
import { useEffect, useId, useState } from 'preact/hooks'
import { complain, link, state, tick } from '../state'
import { endsIn, getLayers, layerAt, othersText, pausesAhead, type LayerTimes } from '../times'
import { duration, moment, trim, typed } from '../units'
import type { Job } from '../wire'
import { PausesAhead } from './ahead'
import { Icon, Spinner } from './icon'
import { Sheet } from './sheet'

export function LayerSheet({ part, onClose }: { /** of the bar that was tapped, 0 to 1; null: nobody has */ part: number | null; onClose: () => void }) {
  const job = state.value?.job
  const id = job?.id ?? ''
  const [times, setTimes] = useState<LayerTimes | null>(null)
  const [failed, setFailed] = useState(false)
  const fetchTimes = () => {
    setFailed(false)
    getLayers().then(setTimes, (error) => {
      setFailed(true)
      complain(error)
    })
  }
  useEffect(fetchTimes, [id, `${job?.skipped}`])
  return (
    <Sheet title="When is a layer done?" onClose={onClose}>
      {!job ? <p>The print is over.</p>
        : failed ? <button type="button" class="btn" onClick={fetchTimes}>Try again</button>
        : !times || times.job !== id ? <p class="center muted"><Spinner /></p>
        : times.layers.length === 0 ? <p>Nothing is known of the layers of this file.</p>
        : <Chooser key={id} job={job} times={times} part={part} />}
    </Sheet>
  )
}

function Chooser({ job, times, part }: { job: Job; times: LayerTimes; part: number | null }) {
  void tick.value // the time of day moves on
  const id = useId()
  const count = times.layers.length
  const first = Math.min(Math.max(job.layer, 1), count)
  const [wanted, setWanted] = useState(() => part === null ? Math.min(first + 1, count) : tapped(times, part))
  const [height, setHeight] = useState('')
  const [none, setNone] = useState('') // the height that no layer reaches any more
  const n = Math.min(Math.max(wanted, first), count)
  const z = times.layers[n - 1]?.z_mm ?? 0
  const inS = endsIn(times, n, job)
  const now = link.clock.now()
  const running = state.value?.state === 'printing' || state.value?.state === 'finishing' || state.value?.state === 'starting'
  const choose = (to: number) => {
    setNone('')
    setWanted(Math.min(Math.max(to, first), count))
  }
  const here = pausesAhead(times, job).filter((pause) => pause.layer === n)
  const asked = typed(height)
  const wrong = height !== '' && !(asked > 0)
  return (
    <div class="layer-times">
      <p class="layer-answer num" aria-live="polite" data-testid="layer-time">
        <span>Layer {n} of {count}{z > 0 && ` · ${trim(z, 2)} mm`}</span>
        {inS === null ? <strong>unknown</strong> : <strong>{running ? moment(now + inS * 1000, now) : duration(inS)}</strong>}
        <span class="muted">{inS === null ? '' : running ? `in ${duration(inS)}` : 'of printing, once it goes on'}</span>
        {here.map((pause) => <span key={pause.key} class="layer-pause"><Icon name="pause" size={18} />pauses {pause.where.startsWith('Before') ? 'before it' : 'here'}: {pause.what}</span>)}
      </p>
      <div class="percent-row">
        <button type="button" class="icon-button step" aria-label="One layer less" disabled={n <= first} onClick={() => choose(n - 1)}><Icon name="minus" /></button>
        <input id={id} type="range" aria-label="Layer" min={first} max={count} step={1} value={n} aria-valuetext={`layer ${n} of ${count}`} onInput={(event) => choose(Number(event.currentTarget.value))} />
        <button type="button" class="icon-button step" aria-label="One layer more" disabled={n >= count} onClick={() => choose(n + 1)}><Icon name="plus" /></button>
      </div>
      <form class="inline-form" onSubmit={(event) => {
        event.preventDefault()
        const found = layerAt(times, asked, first)
        if (found > 0) choose(found)
        else setNone(trim(asked, 2))
      }}>
        <div class="field">
          <label for={`${id}z`}>Or at a height, mm</label>
          <input id={`${id}z`} type="text" inputMode="decimal" autocomplete="off" value={height} aria-invalid={wrong} onInput={(event) => {
            setNone('')
            setHeight(event.currentTarget.value)
          }} />
        </div>
        <button type="submit" class="btn" disabled={!(asked > 0)}>Show</button>
      </form>
      <p class="small num" role="status">{none && `No layer to come reaches ${none} mm.`}</p>
      <dl class="list num">
        <div><dt>Whole print</dt><dd>{job.left_s < 0 ? 'unknown' : running ? `done ${moment(now + job.left_s * 1000, now)}` : `${duration(job.left_s)} left`}</dd></div>
        {othersText(job) && <div><dt>Others say</dt><dd class="wrap">{othersText(job)}</dd></div>}
      </dl>
      <PausesAhead job={job} times={times} running={running} now={now} />
    </div>
  )
}

/** The layer that is under way when so much of the file's time is done. */
function tapped(times: LayerTimes, part: number): number {
  const toGo = (n: number) => (times.layers[n]?.cruise_s ?? 0) + (times.layers[n]?.rest_s ?? 0)
  const found = times.layers.findIndex((_, n) => toGo(n) <= toGo(0) * (1 - part)) // the first layer's own time is little
  return found < 0 ? times.layers.length : found + 1
}
