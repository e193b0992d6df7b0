// The top of every screen: what the printer does, in words, and the way to the emergency stop. Below it, when the link is lost, the age of
// everything else.
import { useState } from 'preact/hooks'
import { routeHash } from '../route'
import { allowed, asking, emergencyStop, heardMs, link, linkStatus, live, printers, state, tick, unreachable } from '../state'
import { duration, sentence } from '../units'
import { stateText, stateTone, switchedOff } from '../words'
import { Icon, Spinner } from './icon'
import { Sheet } from './sheet'

export function Header() {
  const s = state.value
  const [stopping, setStopping] = useState(false)
  const asked = asking('job') ?? asking('connection')
  const tone = !s || !live.value ? 'off' : stateTone(s.state)
  const busy = live.value && (asked !== null || tone === 'busy' && s?.state !== 'printing' || s?.state === 'pausing' || s?.state === 'cancelling')
  const canStop = s !== null && s.state !== 'disconnected' && allowed('operator')
  const about = s ? (s.prompt ? `Asks: ${s.prompt.text}` : waitsFor(s.waiting) ? sentence(s.waiting) : s.profile.name) + (s.demo ? ' · demo' : '') : 'Connecting…'
  return (
    <header class="top">
      <div class={`top-state tone-${tone}`}>
        {busy ? <Spinner /> : <span class="dot" aria-hidden="true" />}
        <div class="top-words">
          <h1 data-testid="state">{s ? switchedOff(s) && !asked ? 'Switched off' : stateText(s, asked) : 'layerd'}</h1>
          <p>{printers.value ? <a class="switcher" href={routeHash('settings', 'printers')}>{about}<Icon name="down" size={16} /><span class="unseen"> Other printers</span></a> : about}</p>
        </div>
      </div>
      {canStop && (
        <button type="button" class="icon-button emergency" aria-label="Emergency stop" aria-haspopup="dialog" onClick={() => setStopping(true)}>
          <Icon name="octagon" size={28} />
        </button>
      )}
      {stopping && (
        <Sheet title="Emergency stop" role="alertdialog" firm onClose={() => setStopping(false)}>
          <p>The printer stops at once and switches its heaters and motors off. A print that is under way is lost, and the printer must be connected again afterwards.</p>
          <div class="sheet-actions">
            <button type="button" class="btn danger solid" onClick={() => {
              setStopping(false)
              void emergencyStop()
            }}><Icon name="octagon" /> Stop everything now</button>
            <button type="button" class="btn" onClick={() => setStopping(false)}>Back</button>
          </div>
        </Sheet>
      )}
    </header>
  )
}

/** Says at once that the link is lost, and how old everything on the screen is. */
export function LinkBar() {
  const gone = state.value === null
  if (live.value || (linkStatus.value !== 'lost' && !unreachable.value)) return null
  const seconds = Math.max(1, tick.value - Math.floor(heardMs() / 1000))
  return (
    <div class="linkbar" role="alert">
      <Icon name="link" />
      <p>{gone ? <><strong>layerd cannot be reached.</strong> Trying again…</> : <><strong>Link lost.</strong> What you see is <span data-testid="stale-age">{duration(seconds)}</span> old.</>}</p>
      <button type="button" class="btn small" onClick={() => link.retry()}>Try now</button>
    </div>
  )
}

/** Whether it is worth saying what the firmware waits for; "processing" is what it always does. */
function waitsFor(waiting: string): boolean {
  return waiting !== '' && waiting !== 'processing'
}
