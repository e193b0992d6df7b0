// The prints that were, the newest first.
import { useEffect, useState } from 'preact/hooks'
import { getPrints } from '../api'
import { looseEnds } from '../diagnosis'
import { complain, state } from '../state'
import { duration, meters, moment, sentence } from '../units'
import { layerText, outcomeText, outcomeTone } from '../words'
import type { Print } from '../wire'
import { Icon, Spinner } from './icon'

const page = 30

export function History({ nowMs }: { nowMs: number }) {
  const [prints, setPrints] = useState<Print[] | null>(null)
  const [more, setMore] = useState(false)
  const load = async (before: number) => {
    try {
      const next = (await getPrints(before, page)).prints
      setMore(next.length === page)
      setPrints((had) => (before === 0 ? next : [...(had ?? []), ...next]))
    } catch (error) {
      complain(error)
    }
  }
  // A print that began or ended is a new row.
  const s = state.value
  useEffect(() => void load(0), [s?.job?.id, s?.last_job?.id, s?.last_job?.outcome])

  if (!prints) return <p class="center muted"><Spinner /></p>
  if (prints.length === 0) return <section class="card center"><Icon name="clock" size={32} /><p>Nothing was printed yet.</p></section>
  return (
    <section aria-label="History">
      <ul class="file-list">
        {prints.map((p) => (
          <li key={p.id} class={`history-row tone-${outcomeTone(p.outcome)}`}>
            <p class="outcome-word"><span class="dot" aria-hidden="true" />{outcomeText(p.outcome)}<span class="muted num"> · {moment(p.ended_ms || p.started_ms, nowMs)}</span></p>
            <p class="wrap"><strong>{p.file}</strong></p>
            <p class="muted small num">{[duration(p.elapsed_s), p.filament_mm > 0 ? meters(p.filament_mm) + (p.filament_g > 0 ? ` (${Math.round(p.filament_g)} g)` : '') : '', p.spools, p.outcome !== 'done' ? layerText(p) : '', p.by && `by ${p.by}`].filter(Boolean).join(' · ')}</p>
            {looseEnds(p) && <p class="small num">{looseEnds(p)}</p>}
            {p.reason && <p class="small">{sentence(p.reason)}</p>}
          </li>
        ))}
      </ul>
      {more && <button type="button" class="btn wide" onClick={() => void load(prints.at(-1)?.started_ms ?? 0)}>Older</button>}
    </section>
  )
}
