// Where the way from elsewhere stands, in one big line, and what the person has to do about it.
import { useId, useState } from 'preact/hooks'
import { day, expiry, shortName, type Overlay, type Status } from '../overlay'
import { command } from '../overlaycommand'
import { asking, link, tick } from '../state'
import { Icon, Spinner, type IconName } from './icon'
import { PassOn, QR } from './passon'

interface Headline {
  text: string
  icon: IconName | null // null: it is under way
  tone: 'calm' | 'busy' | 'warn' | 'bad'
}

export function headline({ kind, state, name, network, login_url }: Status): Headline {
  switch (state) {
    case 'running': return { text: kind === 'zerotier' ? `Joined ${network || 'the network'}` : `Joined as ${shortName(name) || 'this machine'}`, icon: 'check', tone: 'calm' }
    case 'login': return login_url ? { text: 'Open this link on any device and log in', icon: 'key', tone: 'warn' } : { text: 'Waiting for the login link…', icon: null, tone: 'busy' }
    case 'approval': return { text: kind === 'zerotier' ? 'Waiting for authorisation' : 'Waiting for approval', icon: 'clock', tone: 'warn' }
    case 'failed': return { text: 'Cannot be reached from elsewhere', icon: 'warn', tone: 'bad' }
    default: return { text: 'Connecting…', icon: null, tone: 'busy' }
  }
}

export function AwayStatus({ now, disabled }: { now: Overlay; disabled: boolean }) {
  void tick.value // an end comes nearer
  const s = now.status
  const { text, icon, tone } = headline(s)
  const [keyed, setKeyed] = useState(false)
  const steps = s.kind === 'zerotier' && s.state === 'approval' // say more than the network's own words
  const end = expiry(s.expires_ms, link.clock.now())
  const again = s.kind === 'tailnet' && (s.state === 'running' && s.expires_ms > 0 || s.state === 'failed' || s.state === 'login' && s.login_url === '')
  const busy = asking('overlay') !== null
  return (
    <section class="card" aria-label="State of the network">
      <p class={`away-state tone-${tone}`} role="status" data-testid="away-state">{icon ? <Icon name={icon} size={28} /> : <Spinner />}<strong class="wrap">{text}</strong></p>
      {s.problem && !steps && !(end?.soon && s.state === 'running') && <p class="wrap" role={s.state === 'running' ? undefined : 'alert'}>{s.problem}</p>}
      {s.next && !steps && <p class="wrap"><strong>What to do:</strong> {s.next}</p>}
      {s.login_url && (
        <>
          <p class="muted">It asks for your account of the network, and lets this printer in. This page goes on by itself.</p>
          <PassOn address={s.login_url} qr="" open="Open the link" what="the link" />
          {now.login_qr && <QR picture={now.login_qr} what="the login link" />}
        </>
      )}
      {steps && <Authorise member={s.name} network={now.settings.zerotier.network} />}
      {s.state === 'approval' && <p class="muted">This page goes on by itself.</p>}
      {s.state === 'failed' && <p class="muted small">Prints go on all the same.</p>}
      {s.state === 'running' && s.urls[0] && (
        <>
          <p>A device on the same network reaches it at</p>
          <PassOn address={s.urls[0]} qr={now.url_qr} open="Open" what="this printer's address" />
          <p class="why"><Icon name={s.urls[0].startsWith('https:') ? 'lock' : 'info'} size={20} />{safety(s)}</p>
        </>
      )}
      {end && (
        <p class={end.soon ? 'away-end soon' : 'away-end'} data-testid="expiry">{end.soon && <Icon name="warn" size={20} />}<span>{end.text}{end.soon && s.state === 'running' && ' After that nobody reaches the printer from elsewhere.'}</span></p>
      )}
      {again && !disabled && (
        <div class="card-actions">
          <button type="button" class={`btn${end?.soon ? ' primary' : ''}`} disabled={busy} onClick={() => void command({ do: 'overlay_login' })}>{busy && <Spinner />}Log in again</button>
        </div>
      )}
      {s.kind === 'tailnet' && (s.state === 'login' || s.state === 'failed' || end?.soon) && !disabled && (
        keyed ? <WithKey onDone={() => setKeyed(false)} /> : <button type="button" class="btn quiet" onClick={() => setKeyed(true)}>I have an auth key instead</button>
      )}
      <Facts s={s} />
    </section>
  )
}

function safety({ kind, urls }: Status): string {
  if (urls[0]?.startsWith('https:')) return 'With HTTPS and a certificate that every browser trusts.'
  return kind === 'tailnet' ? 'Without HTTPS, which this network does not have. The network itself encrypts all that goes through it.' : 'The network itself encrypts all that goes through it.'
}

/** Somebody has to let this machine in, at the network's own page. */
function Authorise({ member, network }: { member: string; network: string }) {
  return (
    <ol class="away-steps">
      <li><a class="away-link" href={`https://my.zerotier.com/network/${encodeURIComponent(network)}`} target="_blank" rel="noreferrer">Open my.zerotier.com</a>, or the controller of your network.</li>
      <li>Choose the network <code>{network}</code>.</li>
      <li>Tick “Auth” beside {member ? <>the member <code data-testid="member">{member}</code></> : 'this machine'}.</li>
    </ol>
  )
}

/** Enrols with a key; it is used once and not kept. */
function WithKey({ onDone }: { onDone: () => void }) {
  const [key, setKey] = useState('')
  const [error, setError] = useState('')
  const busy = asking('overlay') !== null
  const send = async () => {
    const answer = await command({ do: 'overlay_login', secret: key.trim() }, true)
    if (!answer) return
    setKey('')
    if (answer.error) setError(`${answer.error.message} ${answer.error.next}`)
    else onDone()
  }
  return (
    <form class="with-key" onSubmit={(event) => {
      event.preventDefault()
      void send()
    }}>
      <AuthKey value={key} disabled={busy} about="From the network's admin page. It is used once and then forgotten." onInput={setKey} />
      <p class="problem" role="alert">{error}</p>
      <div class="card-actions">
        <button type="submit" class="btn primary" disabled={busy || key.trim() === ''}>{busy && <Spinner />}Log in with the key</button>
        <button type="button" class="btn" onClick={onDone}>Back</button>
      </div>
    </form>
  )
}

export function AuthKey({ value, disabled, about, onInput }: { value: string; disabled: boolean; about: string; onInput: (key: string) => void }) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>Auth key</label>
      <input id={id} type="password" class="mono" autocomplete="off" autocapitalize="none" spellcheck={false} value={value} disabled={disabled} aria-describedby={id + 'about'}
        onInput={(event) => onInput(event.currentTarget.value)} />
      <small id={id + 'about'} class="muted">{about}</small>
    </div>
  )
}

/** What one looks for when something is odd. */
function Facts({ s }: { s: Status }) {
  if (s.addresses.length + s.health.length + s.paths.length === 0 && !s.name) return null
  return (
    <>
      {s.health.length > 0 && (
        <div class="needs short">
          <Icon name="warn" size={20} />
          <ul class="away-health" aria-label="Warnings of the network">{s.health.map((text) => <li key={text} class="wrap">{text}</li>)}</ul>
        </div>
      )}
      <details class="away-more">
        <summary>More about the connection</summary>
        <dl class="list num">
          {s.name && <div><dt>{s.kind === 'zerotier' ? 'Member' : 'Name'}</dt><dd class="wrap">{s.name}</dd></div>}
          {s.network && <div><dt>Network</dt><dd class="wrap">{s.network}</dd></div>}
          {s.urls.slice(1).map((url) => <div key={url}><dt>Also at</dt><dd class="wrap">{url}</dd></div>)}
          {s.addresses.length > 0 && <div><dt>Addresses</dt><dd class="wrap">{s.addresses.join(', ')}</dd></div>}
          {s.kind === 'tailnet' && s.state === 'running' && <div><dt>Login ends</dt><dd>{s.expires_ms > 0 ? day(s.expires_ms) : 'never'}</dd></div>}
          {s.paths.map((path) => <div key={path.peer}><dt class="wrap">{path.peer}</dt><dd>{path.direct ? 'direct' : `relayed${path.relay && ` by ${path.relay}`}`}</dd></div>)}
        </dl>
      </details>
    </>
  )
}
