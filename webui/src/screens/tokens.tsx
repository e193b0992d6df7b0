// Keys for programs, and view-only links for people who only want to look. A secret is shown once; layerd keeps no copy.
import { useId, useState } from 'preact/hooks'
import { useAct, useLoaded } from '../acting'
import { Icon, Spinner, type IconName } from '../parts/icon'
import { OwnersOnly, owners, Problem, RoleChoice, usable } from '../parts/said'
import { Secret } from '../parts/secret'
import { Sheet } from '../parts/sheet'
import { agoText, dropToken, expiryText, getTokens, linkAddress, makeToken, roleName, type Made, type Token } from '../people'
import { link, notify } from '../state'
import type { Role } from '../wire'

const hourMs = 3_600_000
const spans: readonly { name: string; ms: number }[] = [
  { name: '1 hour', ms: hourMs }, { name: '1 day', ms: 24 * hourMs }, { name: '1 week', ms: 168 * hourMs }, { name: '30 days', ms: 720 * hourMs },
]
const keySpans: readonly { name: string; ms: number }[] = [{ name: 'Never', ms: 0 }, { name: '30 days', ms: 720 * hourMs }, { name: '1 year', ms: 8760 * hourMs }]

interface Kind { link: boolean; title: string; about: string; none: string; add: string; icon: IconName; example: string }

const kinds: readonly Kind[] = [
  { link: true, title: 'View-only links', about: 'Who opens one sees the picture and the print, and can change nothing, until it ends.', none: 'No link is open.', add: 'Make a link', icon: 'link', example: 'such as Grandma' },
  { link: false, title: 'Keys for programs', about: 'For slicers, Home Assistant and scripts. Give each its own, so that one can be taken back alone.', none: 'No program has a key.', add: 'Make a key', icon: 'key', example: 'such as OrcaSlicer' },
]

export function TokensPage() {
  return owners() ? <All /> : <OwnersOnly />
}

function All() {
  const [all, reload] = useLoaded(getTokens)
  const [adding, setAdding] = useState<Kind | null>(null)
  const [dropping, setDropping] = useState('')
  if (!all) return <p class="center muted"><Spinner /></p>
  const dropped = all.find((t) => t.id === dropping)
  return (
    <div class="custom">
      {kinds.map((kind) => {
        const tokens = all.filter((t) => t.link === kind.link)
        return (
          <section key={kind.title} class="card" aria-label={kind.title}>
            <h2>{kind.title}</h2>
            <p class="muted">{kind.about}</p>
            {tokens.length === 0 && <p>{kind.none}</p>}
            <ul class="rows">{tokens.map((t) => <li key={t.id}><Row token={t} onDrop={() => setDropping(t.id)} /></li>)}</ul>
            <button type="button" class="btn primary" disabled={!usable()} aria-haspopup="dialog" onClick={() => setAdding(kind)}><Icon name="plus" /> {kind.add}</button>
          </section>
        )
      })}
      {adding && <Make kind={adding} onClose={() => setAdding(null)} onMade={reload} />}
      {dropped && <Drop token={dropped} onClose={() => setDropping('')} onDropped={reload} />}
    </div>
  )
}

function Row({ token: t, onDrop }: { token: Token; onDrop: () => void }) {
  const now = link.clock.now()
  const ended = t.expires_ms > 0 && t.expires_ms <= now
  return (
    <div class={`row${ended ? ' ended' : ''}`}>
      <p class="row-open">
        <strong class="wrap">{t.name}</strong>
        <small class="muted">{[!t.link && roleName(t.role), expiryText(t.expires_ms, now), t.used_ms > 0 ? `last used ${agoText(t.used_ms, now)}` : 'not used yet'].filter(Boolean).join(' · ')}</small>
      </p>
      <button type="button" class="icon-button" aria-label={`Take back ${t.name}`} aria-haspopup="dialog" disabled={!usable()} onClick={onDrop}><Icon name="trash" size={20} /></button>
    </div>
  )
}

function Make({ kind, onClose, onMade }: { kind: Kind; onClose: () => void; onMade: () => Promise<void> }) {
  const id = useId()
  const choices = kind.link ? spans : keySpans
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>(kind.link ? 'viewer' : 'operator')
  const [ms, setMs] = useState(kind.link ? 24 * hourMs : 0)
  const [made, setMade] = useState<Made | null>(null)
  const { busy, error, act } = useAct()
  const make = async () => {
    const got = await act(() => makeToken(name.trim(), role, ms > 0 ? Math.round(link.clock.now() + ms) : 0, kind.link))
    if (got === null) return
    setMade(got)
    await onMade()
  }
  if (made) return <Shown made={made} onClose={onClose} />
  return (
    <Sheet title={kind.add} onClose={onClose} firm>
      <form onSubmit={(event) => {
        event.preventDefault()
        if (name.trim() && !busy) void make()
      }}>
        <div class="field">
          <label for={id}>{kind.link ? 'For whom' : 'For which program'}</label>
          <input id={id} type="text" autocomplete="off" maxLength={64} placeholder={kind.example} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </div>
        <div class="field">
          <span class="label" id={`${id}e`}>Ends after</span>
          <div class="spans" role="radiogroup" aria-labelledby={`${id}e`}>
            {choices.map((span) => <button key={span.name} type="button" role="radio" aria-checked={ms === span.ms} class="chip" onClick={() => setMs(span.ms)}>{span.name}</button>)}
          </div>
        </div>
        {!kind.link && <RoleChoice name={`${id}r`} value={role} onChoose={setRole} />}
        <Problem error={error} />
        <div class="sheet-actions">
          <button type="submit" class="btn primary" disabled={!name.trim() || busy || !usable()}>{busy && <Spinner />} {kind.add}</button>
        </div>
      </form>
    </Sheet>
  )
}

function Shown({ made, onClose }: { made: Made; onClose: () => void }) {
  const { token, secret, qr, digest } = made
  return (
    <Sheet title={token.name} onClose={onClose} firm>
      <p><strong>It is shown only this once.</strong> {token.link ? 'Who has this link can look until it ends. Send it only to whom it is for.' : 'Put it into the program now; layerd keeps no copy.'}</p>
      {token.link && qr.startsWith('data:image/png;base64,') && <img class="qr" src={qr} alt="The link as a QR code, for the camera of a phone" width={240} height={240} />}
      <Secret label={token.link ? 'The link' : 'The key'} text={token.link ? linkAddress(secret) : secret} share={token.link ? 'Look at my printer' : ''} />
      {!token.link && <p class="muted small">Programs send it as <code>X-Api-Key</code> or <code>Authorization: Bearer</code>.</p>}
      {!token.link && digest && (
        <details>
          <summary>For programs that want a user and a password</summary>
          <Secret label="User" text={token.id} share="" />
          <Secret label="Password" text={digest} share="" />
          <p class="muted small">They are for PrusaLink's log-in, and end with the key.</p>
        </details>
      )}
      <div class="sheet-actions"><button type="button" class="btn primary" onClick={onClose}>Done</button></div>
    </Sheet>
  )
}

function Drop({ token: t, onClose, onDropped }: { token: Token; onClose: () => void; onDropped: () => Promise<void> }) {
  const { busy, error, act } = useAct()
  const drop = async () => {
    if (await act(() => dropToken(t.id)) === null) return
    notify('good', `${t.name} is taken back.`)
    onClose()
    await onDropped()
  }
  return (
    <Sheet title={`Take back ${t.name}?`} role="alertdialog" firm onClose={onClose}>
      <p>{t.link ? 'Who looks through this link' : 'What uses this key'} is thrown out at once, and it never works again.</p>
      <Problem error={error} />
      <div class="sheet-actions">
        <button type="button" class="btn danger solid" disabled={busy} onClick={() => void drop()}>{busy && <Spinner />} Take back</button>
        <button type="button" class="btn" onClick={onClose}>Keep</button>
      </div>
    </Sheet>
  )
}
