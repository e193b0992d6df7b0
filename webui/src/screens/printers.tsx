// #/settings/printers: other printers on the same network, as they tell of themselves. They are asked only while this page is seen.
import { useEffect, useState } from 'preact/hooks'
import { Refused } from '../api'
import { Icon, Spinner } from '../parts/icon'
import { askNeighbours, isThere, isWeb, maySeeNeighbours, neighbourPicture, type Neighbour } from '../overlay'
import { routeHash } from '../route'
import { allowed, complain, live, state } from '../state'
import { duration, percent } from '../units'
import { stateText, stateTone } from '../words'
import { stateNames } from '../wire'

const everyMs = 15_000
const pictureMs = 10_000

/** Calls again and again while the page is seen, and at once when it is seen again. */
function useWhileSeen(call: () => void, ms: number, on: boolean): void {
  useEffect(() => {
    if (!on) return
    const seen = () => {
      if (document.visibilityState === 'visible') call()
    }
    seen()
    const timer = setInterval(seen, ms)
    document.addEventListener('visibilitychange', seen)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', seen)
    }
  }, [on])
}

export function PrintersPage() {
  const s = state.value
  const [all, setAll] = useState<readonly Neighbour[] | null>(null)
  const [turn, setTurn] = useState(0)
  const may = s !== null && maySeeNeighbours(s)
  const on = live.value && may
  useWhileSeen(() => void askNeighbours().then(setAll, (error: unknown) => {
    if (!(error instanceof Refused && error.status === 0)) complain(error) // status 0: the link is lost, and says so
  }), everyMs, on)
  useWhileSeen(() => setTurn((n) => n + 1), pictureMs, on && (all?.some((n) => n.picture) ?? false))
  if (!s) return null
  if (!may) {
    return s.overlay.state === 'running'
      ? <p class="why bar"><Icon name="lock" size={20} />Your key may look at this printer, but not for others.</p>
      : <section class="card"><p>Printers find each other when they are on the same network “away from home”. This one is not on such a network now.</p>{allowed('owner') && <div class="card-actions"><a class="btn" href={routeHash('settings', 'away')}>Away from home</a></div>}</section>
  }
  if (!all) return <p class="center muted"><Spinner /></p>
  const there = isThere(location.hostname, s.overlay.url, s.me.via)
  return (
    <>
      {!there && all.length > 0 && <p class="why bar"><Icon name="info" size={20} /><span>To open another printer, this device has to be on the network too{s.overlay.kind === 'tailnet' && ': turn its Tailscale app on'}.</span></p>}
      {all.length === 0 && <section class="card center"><p><strong>No other printer was found.</strong></p><p class="muted">Others that run layerd on the same network appear here by themselves.</p></section>}
      <ul class="printers">{all.map((one) => <li key={one.name}><Printer one={one} turn={turn} /></li>)}</ul>
    </>
  )
}

function Printer({ one, turn }: { one: Neighbour; turn: number }) {
  const name = stateNames.find((each) => each === one.state)
  const words = !one.online ? 'Switched off, or not on the network' : name ? stateText({ state: name, lost: null }, null) : 'Does not answer'
  return (
    <a class="card printer" {...(isWeb(one.url) ? { href: one.url } : {})}>
      {one.picture && one.online && <Seen name={one.name} turn={turn} />}
      <div class="printer-words">
        <h2 class="wrap">{one.name}</h2>
        <p class={`printer-state tone-${one.online && name ? stateTone(name) : 'off'}`}><span class="dot" aria-hidden="true" />{words}</p>
        {one.job && (
          <>
            <p class="wrap">{one.job}</p>
            {one.percent >= 0 && <progress max={100} value={one.percent} aria-label={`Print on ${one.name}`} />}
            <p class="num muted">{[one.percent >= 0 && `${percent(one.percent)} %`, one.left_s >= 0 && `${duration(one.left_s)} left`].filter(Boolean).join(' · ')}</p>
          </>
        )}
      </div>
    </a>
  )
}

/** The newest picture; the one before stays until it came, and nothing is shown when there is none. */
function Seen({ name, turn }: { name: string; turn: number }) {
  const [failed, setFailed] = useState(0) // the turn in which none came
  if (failed === turn) return null
  return <img class="printer-picture" src={neighbourPicture(name, turn)} alt={`Picture of ${name}`} onError={() => setFailed(turn)} />
}
