// #/settings/away: how phones reach the printer from elsewhere: the state of that, which changes by itself, and the settings.
import { useEffect, useState } from 'preact/hooks'
import { AwayForm } from '../parts/awayform'
import { AwayStatus } from '../parts/awaystatus'
import { Icon, Spinner } from '../parts/icon'
import { Sheet } from '../parts/sheet'
import { whyNotOwner } from '../custom'
import { followOverlay, isThere, overlay, type Overlay } from '../overlay'
import { command } from '../overlaycommand'
import { allowed, asking, notify, state } from '../state'

export function AwayPage() {
  useEffect(followOverlay, [])
  const s = state.value
  const now = overlay.value
  const why = whyNotOwner()
  if (!s) return null
  if (!allowed('owner')) return <p class="why bar"><Icon name="lock" size={20} />Only an owner sees and changes this.</p>
  if (!now) return <p class="center muted"><Spinner /></p>
  const disabled = why !== ''
  const { kind } = now.settings
  const here = kind !== 'none' && isThere(location.hostname, s.overlay.url, s.me.via)
  return (
    <div class="custom">
      {why && <p class="why bar"><Icon name="lock" size={20} />{why}</p>}
      <div class="columns">
        {kind !== 'none' && <div class="column"><AwayStatus now={now} disabled={disabled} /></div>}
        <div class="column">
          <AwayForm key={JSON.stringify(now.settings)} now={now} locked={s.locked} disabled={disabled} here={here} />
          {kind !== 'none' && <Leave now={now} disabled={disabled} here={here} />}
        </div>
      </div>
    </div>
  )
}

/** Leaves; layerd then turns the network off, and stays away. */
function Leave({ now, disabled, here }: { now: Overlay; disabled: boolean; here: boolean }) {
  const [asked, setAsked] = useState(false)
  const leave = async () => {
    setAsked(false)
    const left = await command({ do: 'overlay_leave' })
    if (!left || left.error) return
    notify('good', 'This printer has left the network.')
  }
  return (
    <>
      <button type="button" class="btn danger" disabled={disabled || asking('overlay') !== null} aria-haspopup="dialog" onClick={() => setAsked(true)}>Leave the network</button>
      {asked && (
        <Sheet title="Leave the network?" role="alertdialog" firm onClose={() => setAsked(false)}>
          <p>{now.settings.kind === 'tailnet' ? 'This machine gives up its place and its address there. To come back, somebody has to log in again.' : 'This machine gives up its place there. To come back, it may have to be authorised again.'}</p>
          {here && <p>You are here over this network: the page stops working at once.</p>}
          <div class="sheet-actions">
            <button type="button" class="btn danger solid" onClick={() => void leave()}>Leave</button>
            <button type="button" class="btn" onClick={() => setAsked(false)}>Stay</button>
          </div>
        </Sheet>
      )}
    </>
  )
}
