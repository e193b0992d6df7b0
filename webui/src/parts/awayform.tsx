// Which network is used, and how. What the configuration sets is shown, and locked.
import { useId, useState } from 'preact/hooks'
import { tagsOf, type Overlay, type OverlayKind, type OverlaySettings } from '../overlay'
import { command } from '../overlaycommand'
import { asking, notify } from '../state'
import type { ApiError } from '../wire'
import { AuthKey } from './awaystatus'
import { Spinner } from './icon'
import { Locked } from './locked'
import { Sheet } from './sheet'

const kinds: readonly { kind: OverlayKind; name: string; about: string }[] = [
  { kind: 'none', name: 'Off', about: 'The page opens only where the printer is, in the same home or office network.' },
  { kind: 'tailnet', name: 'Tailnet', about: 'With the Tailscale app on your phone the page opens from anywhere, for you and nobody else. Headscale works too.' },
  { kind: 'zerotier', name: 'ZeroTier', about: 'If ZeroTier is installed on the computer beside the printer, the page opens from anywhere in your ZeroTier network.' },
]

interface AwayFormProps {
  now: Overlay
  locked: Record<string, string>
  disabled: boolean
  here: boolean // this page came over the network itself
}

export function AwayForm({ now, locked, disabled, here }: AwayFormProps) {
  const id = useId()
  const had = now.settings
  const [kind, setKind] = useState(had.kind)
  const [tailnet, setTailnet] = useState(had.tailnet)
  const [tags, setTags] = useState(had.tailnet.tags.join(' '))
  const [network, setNetwork] = useState(had.zerotier.network)
  const [key, setKey] = useState('')
  const [asked, setAsked] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const set = (change: Partial<OverlaySettings['tailnet']>) => setTailnet((t) => ({ ...t, ...change }))
  const busy = asking('overlay') !== null
  const wanted: OverlaySettings = { kind, tailnet: { ...tailnet, name: tailnet.name.trim(), control_url: tailnet.control_url.trim(), tags: tagsOf(tags) }, zerotier: { network: network.trim() } }
  const badNetwork = kind === 'zerotier' && !/^[0-9a-f]{16}$/i.test(wanted.zerotier.network)
  const changed = JSON.stringify(wanted) !== JSON.stringify(had) || key.trim() !== ''
  const save = async () => {
    const secret = key.trim()
    const answer = await command({ do: 'set_overlay', overlay: wanted, ...(kind === 'tailnet' && secret ? { secret } : {}) }, true)
    if (!answer) return
    setError(answer.error)
    if (answer.error) return
    setKey('')
    if (kind === 'none' || had.kind === kind) notify('good', kind === 'none' ? 'Off.' : 'Saved.')
    scrollTo(0, 0) // to what becomes of it
  }
  const text = (name: keyof typeof tailnet & ('name' | 'control_url'), label: string, placeholder: string, about: string) => (
    <div class="field">
      <label for={id + name}>{label}</label>
      <input id={id + name} type="text" inputMode={name === 'name' ? 'text' : 'url'} autocomplete="off" autocapitalize="none" spellcheck={false} placeholder={placeholder} value={tailnet[name]} maxLength={name === 'name' ? 63 : 256}
        disabled={disabled || `tailnet.${name}` in locked} aria-describedby={id + name + 'about'} onInput={(event) => set({ [name]: event.currentTarget.value })} />
      <small id={id + name + 'about'} class="muted">{about}</small>
      <Locked by={locked[`tailnet.${name}`]} />
    </div>
  )
  return (
    <form class="card" aria-label="Network" onSubmit={(event) => {
      event.preventDefault()
      if (here && kind !== had.kind) setAsked(true)
      else void save()
    }}>
      <fieldset class="choices" disabled={disabled || 'overlay' in locked}>
        <legend>How the printer is reached from elsewhere</legend>
        {kinds.map((each) => (
          <label key={each.kind} class="choice">
            <input type="radio" name={id + 'kind'} value={each.kind} checked={kind === each.kind} onChange={() => setKind(each.kind)} />
            <span><strong>{each.name}</strong><small class="muted">{each.about}</small></span>
          </label>
        ))}
      </fieldset>
      <Locked by={locked['overlay']} />
      {kind === 'tailnet' && (
        <>
          {text('name', "This printer's name there", 'layerd', 'Letters a to z, digits and “-”. It becomes part of the address.')}
          {had.kind !== 'tailnet' && <AuthKey value={key} disabled={disabled} about={now.has_key ? 'layerd has one, and forgets it once it is let in. Without another, that one is used.' : 'Leave it empty to log in with a link instead. A key is used once, then forgotten, and never shown again.'} onInput={setKey} />}
          <details class="away-more">
            <summary>Advanced</summary>
            <div class="away-advanced">
              {text('control_url', 'Control server', "Tailscale's own", 'Of a Headscale of your own, such as https://headscale.example.com')}
              <div class="field">
                <label for={id + 'tags'}>Tags</label>
                <input id={id + 'tags'} type="text" autocomplete="off" autocapitalize="none" spellcheck={false} placeholder="none" value={tags} disabled={disabled || 'tailnet.tags' in locked} aria-describedby={id + 'tagsabout'} onInput={(event) => setTags(event.currentTarget.value)} />
                <small id={id + 'tagsabout'} class="muted">Such as tag:printer. A machine with tags belongs to nobody, and need not log in again.</small>
                <Locked by={locked['tailnet.tags']} />
              </div>
              <div class="field">
                <label for={id + 'role'}>People of the network whom nobody has named</label>
                <select id={id + 'role'} value={tailnet.default_role || 'viewer'} disabled={disabled || 'tailnet.default_role' in locked} onChange={(event) => set({ default_role: event.currentTarget.value === 'nobody' ? 'nobody' : 'viewer' })}>
                  <option value="viewer">may look</option>
                  <option value="nobody">have to log in</option>
                </select>
                <Locked by={locked['tailnet.default_role']} />
              </div>
              <div class="field">
                <label class="check"><input type="checkbox" checked={tailnet.vendor_logs} disabled={disabled || 'tailnet.vendor_logs' in locked} aria-describedby={id + 'logs'} onChange={(event) => set({ vendor_logs: event.currentTarget.checked })} /><span>Send technical logs to Tailscale</span></label>
                <small id={id + 'logs'} class="muted">Off, unless your network insists on it.</small>
                <Locked by={locked['tailnet.vendor_logs']} />
              </div>
            </div>
          </details>
        </>
      )}
      {kind === 'zerotier' && (
        <div class="field">
          <label for={id + 'network'}>Network ID</label>
          <input id={id + 'network'} type="text" class="mono" autocomplete="off" autocapitalize="none" spellcheck={false} placeholder="8056c2e21c000001" value={network} disabled={disabled || 'zerotier.network' in locked}
            aria-invalid={badNetwork && network.trim().length >= 16} aria-describedby={id + 'networkabout'} onInput={(event) => setNetwork(event.currentTarget.value)} />
          <small id={id + 'networkabout'} class="muted">Its 16 characters, 0 to 9 and a to f, as ZeroTier Central shows them. Who opens the page there logs in as at home.</small>
          <Locked by={locked['zerotier.network']} />
        </div>
      )}
      <p class="problem" role="alert">{error && `${error.message} ${error.next}`}</p>
      {(kind !== 'none' || had.kind !== 'none') && (
        <div class="card-actions">
          <button type="submit" class="btn primary" disabled={disabled || busy || !changed || badNetwork}>{busy && <Spinner />}{kind === 'none' ? 'Turn off' : had.kind === kind ? 'Save' : 'Turn on'}</button>
        </div>
      )}
      {asked && <CutOff title={kind === 'none' ? 'Turn it off?' : 'Change the network?'} yes={kind === 'none' ? 'Turn off' : 'Change'} onClose={() => setAsked(false)} onYes={() => {
        setAsked(false)
        void save()
      }} />}
    </form>
  )
}

/** This page itself is about to lose its way. */
function CutOff({ title, yes, onYes, onClose }: { title: string; yes: string; onYes: () => void; onClose: () => void }) {
  return (
    <Sheet title={title} role="alertdialog" firm onClose={onClose}>
      <p>You are here over this network. The page stops working at once, and only a device beside the printer, in its own network, can turn it on again.</p>
      <div class="sheet-actions">
        <button type="button" class="btn danger solid" onClick={onYes}>{yes}</button>
        <button type="button" class="btn" onClick={onClose}>Keep it</button>
      </div>
    </Sheet>
  )
}
