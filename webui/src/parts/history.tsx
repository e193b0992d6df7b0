// The prints that were, the newest first, below what they come to in each month. A tap on one opens its sheet.
import { useEffect, useState } from 'preact/hooks'
import { getPrints } from '../api'
import { looseEnds } from '../diagnosis'
import { csvURL, getTotals, type Month } from '../kept'
import { go } from '../route'
import { complain, live, state } from '../state'
import { duration, meters, moment, sentence } from '../units'
import { filamentText, layerText, outcomeText, outcomeTone } from '../words'
import type { Print } from '../wire'
import { Icon, Spinner } from './icon'
import { PrintSheet } from './printsheet'

const page = 30

export function History({ nowMs, toFiles }: { nowMs: number; toFiles: () => void }) {
  const [prints, setPrints] = useState<Print[] | null>(null)
  const [months, setMonths] = useState<Month[]>([])
  const [more, setMore] = useState(false)
  const [open, setOpen] = useState('')
  const load = async (before: number) => {
    try {
      const [{ prints: next }, totals] = await Promise.all([getPrints(before, page), before === 0 ? getTotals() : null])
      setMore(next.length === page)
      setPrints((had) => (before === 0 ? next : [...(had ?? []), ...next]))
      if (totals) setMonths(totals)
    } catch (error) {
      complain(error)
    }
  }
  // A print that began or ended is a new row. Its end is written a moment after it is shown: files_rev tells.
  const s = state.value
  const up = live.value
  useEffect(() => {
    if (up) void load(0)
  }, [up, s?.job?.id, s?.last_job?.id, s?.last_job?.outcome, s?.files_rev])

  if (!prints) return <p class="center muted"><Spinner /></p>
  if (prints.length === 0) return <section class="card center"><Icon name="clock" size={32} /><p>Nothing was printed yet.</p></section>
  const opened = prints.find((p) => p.id === open)
  return (
    <section class="history" aria-label="History">
      {months.length > 0 && <Totals months={months} />}
      <ul class="file-list">
        {prints.map((p) => <li key={p.id}><Row print={p} nowMs={nowMs} onOpen={() => setOpen(p.id)} /></li>)}
      </ul>
      {more && <button type="button" class="btn wide" onClick={() => void load(prints.at(-1)?.started_ms ?? 0)}>Older</button>}
      {opened && <PrintSheet print={opened} nowMs={nowMs} onClose={() => setOpen('')} onAgain={(path) => {
        setOpen('')
        go('files', path)
        toFiles()
      }} />}
    </section>
  )
}

function Row({ print: p, nowMs, onOpen }: { print: Print; nowMs: number; onOpen: () => void }) {
  const card = p.file.startsWith('card:')
  return (
    <button type="button" class={`history-row tone-${outcomeTone(p.outcome)}`} aria-haspopup="dialog" onClick={onOpen}>
      <span class="outcome-word"><span class="dot" aria-hidden="true" />{outcomeText(p.outcome)}<span class="muted num"> · {moment(p.ended_ms || p.started_ms, nowMs)}</span></span>
      <span class="wrap"><strong>{p.file.replace(/^card:/, '')}</strong>{card && <small class="muted"> · from the printer's own card</small>}</span>
      <span class="muted small num">{[duration(p.elapsed_s), filamentText(p), p.outcome !== 'done' ? layerText(p) : '', p.by && !card && `by ${p.by}`].filter(Boolean).join(' · ')}</span>
      {looseEnds(p) && <span class="small num">{looseEnds(p)}</span>}
      {p.alarms > 0 && <span class="small num">{p.alarms === 1 ? 'Layer shift' : `${p.alarms} layer shifts`}</span>}
      {p.reason && <span class="small">{sentence(p.reason)}</span>}
    </button>
  )
}

const monthNames = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']

/** "2026-11" as people say it. */
export function monthName(month: string): string {
  const [year = '', number = ''] = month.split('-')
  return `${monthNames[Number(number) - 1] ?? number} ${year}`
}

/** How a month's prints ended, in words. */
export function endings(m: Month): string {
  const said = [[m.done, 'finished'], [m.cancelled, 'stopped'], [m.failed, 'failed'], [m.interrupted, 'interrupted']] as const
  return said.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}`).join(', ')
}

const firstMonths = 2

function Totals({ months }: { months: readonly Month[] }) {
  const [all, setAll] = useState(false)
  return (
    <section class="card totals" aria-label="Totals by month">
      <ul class="num">
        {(all ? months : months.slice(0, firstMonths)).map((m) => (
          <li key={m.month}>
            <strong>{monthName(m.month)}</strong><strong>{m.prints === 1 ? '1 print' : `${m.prints} prints`}</strong>
            <small>{endings(m)}</small><small>{[duration(m.printed_s), m.filament_mm > 0 && meters(m.filament_mm)].filter(Boolean).join(' · ')}</small>
          </li>
        ))}
      </ul>
      <div class="totals-foot">
        {months.length > firstMonths && <button type="button" class="btn small quiet" aria-expanded={all} onClick={() => setAll(!all)}><Icon name={all ? 'up' : 'down'} size={20} /> {all ? 'Fewer months' : 'All months'}</button>}
        <a class="btn small quiet" href={csvURL} download="layerd-prints.csv"><Icon name="download" size={20} /> Export as CSV</a>
      </div>
    </section>
  )
}
