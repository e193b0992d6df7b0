// The temperature graphs: of the last half hour, which is layerd's and so outlives a reload, and of a whole print.
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { getCurve, getRecent } from '../curves'
import { live, state } from '../state'
import { heaterName, highest, inWords, joined, liveFrom, newest, temps, type Temps } from '../temps'
import { dash } from '../units'
import { isConnected } from '../words'
import { Spinner } from './icon'
import { colourOf, Plot } from './plot'

const askEvery = 2000

// What this page has seen, so that coming back from another screen draws at once.
let seen: { temps: Temps; nowMs: number } | null = null

export function TemperatureCard() {
  const [shown, setShown] = useState(seen)
  useEffect(() => follow((next) => {
    seen = next
    setShown(next)
  }), [])
  if (!shown || shown.temps.atMs.length === 0) {
    const s = state.value
    return s && isConnected(s.state) ? <section class="card" aria-label="Temperature graph"><p class="center muted">{shown ? 'No temperatures yet.' : <Spinner />}</p></section> : null
  }
  const { temps: all, nowMs } = shown
  return (
    <section class="card graph" aria-label="Temperature graph">
      <ul class="graph-legend num">
        {all.lines.map((line) => {
          const { actual, target } = newest(all, line, nowMs)
          return (
            <Key key={line.name} name={line.name} title={heaterName(line.name, all.lines)}>
              <strong>{actual === null ? dash : `${Math.round(actual)}°`}</strong>{target > 0 && ` / ${Math.round(target)}°`}
            </Key>
          )
        })}
      </ul>
      <Plot temps={all} fromMs={liveFrom(all, nowMs)} toMs={nowMs} label={inWords(all, 'Temperatures of the last half hour', nowMs)} />
    </section>
  )
}

function Key({ name, title, children }: { name: string; title: string; children: ComponentChildren }) {
  return <li><i style={{ background: `var(${colourOf(name)})` }} aria-hidden="true" />{title} <span>{children}</span></li>
}

/** Asks for what is new while somebody may look; returns what ends that. */
function follow(show: (next: { temps: Temps; nowMs: number }) => void): () => void {
  let over = false
  let timer = 0
  const ask = async () => {
    if (document.visibilityState === 'visible' && (live.value || !seen)) {
      try {
        const next = await getRecent(seen?.temps.atMs.at(-1) ?? 0)
        if (!over) show({ temps: joined(seen?.temps ?? null, next), nowMs: next.now_ms })
      } catch {
        // The link says what is wrong; the graph just ends where it is.
      }
    }
    if (!over) timer = window.setTimeout(() => void ask(), askEvery)
  }
  void ask()
  return () => {
    over = true
    clearTimeout(timer)
  }
}

/** The whole curve of one print. */
export function PrintCurve({ id }: { id: string }) {
  const [curve, setCurve] = useState<Temps | null>(null)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    let over = false
    getCurve(id).then((c) => {
      if (!over) setCurve(temps(c))
    }, () => {
      if (!over) setFailed(true)
    })
    return () => {
      over = true
    }
  }, [id])
  if (failed) return <p class="muted small">The temperatures could not be loaded.</p>
  if (!curve) return <p class="center muted"><Spinner /></p>
  const [first, last] = [curve.atMs[0], curve.atMs.at(-1)]
  if (first === undefined || last === undefined || first === last) return null // one point is no curve
  return (
    <div class="graph bare">
      <ul class="graph-legend num">
        {curve.lines.map((line) => {
          const high = highest(line)
          return <Key key={line.name} name={line.name} title={heaterName(line.name, curve.lines)}>{high === null ? dash : `up to ${Math.round(high)}°`}</Key>
        })}
      </ul>
      <Plot temps={curve} fromMs={first} toMs={Math.max(last, first + 60_000)} label={inWords(curve, 'Temperatures of this print', null)} />
    </div>
  )
}
