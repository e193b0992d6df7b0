// Your account: who you are here, your password, and where you are logged in.
import { useState } from 'preact/hooks'
import { useAct, useLoaded } from '../acting'
import { minPassword, passwordProblem } from '../door'
import { Icon, Spinner } from '../parts/icon'
import { PasswordField } from '../parts/password'
import { owners, Problem } from '../parts/said'
import { agoText, changePassword, deviceText, endSession, getSessions, roleChoices, roleName, viaText, type Session } from '../people'
import { leave, toDoor } from '../session'
import { link, live, notify, state } from '../state'

export function AccountPage() {
  const [everybodys, setEverybodys] = useState(false)
  const [sessions, reload] = useLoaded(() => getSessions(everybodys), [everybodys])
  const me = state.value?.me
  if (!me) return null
  const here = sessions?.find((s) => s.current)
  return (
    <div class="custom">
      <section class="card" aria-label="Who you are">
        <h2 class="wrap">{me.name || me.id}</h2>
        <p><strong>{roleName(me.role)}</strong>, {viaText(here?.via ?? me.via)}.</p>
        <p class="muted">{roleChoices.find((r) => r.role === me.role)?.about}</p>
        {me.via === 'tailnet'
          ? <><p class="muted small">The tailnet says who you are each time you come, so there is nothing to log out of.</p><button type="button" class="btn" onClick={toDoor}>Log in as somebody else</button></>
          : <button type="button" class="btn" onClick={() => void leave()}>Log out</button>}
      </section>
      {here?.via === 'password' && <Password name={me.name} onChanged={reload} />}
      {sessions && <Sessions sessions={sessions} everybodys={everybodys} onEverybodys={setEverybodys} onEnded={reload} />}
      {!sessions && <p class="center muted"><Spinner /></p>}
    </div>
  )
}

function Password({ name, onChanged }: { name: string; onChanged: () => Promise<void> }) {
  const [old, setOld] = useState('')
  const [next, setNext] = useState('')
  const { busy, error, act } = useAct()
  const weak = passwordProblem(next)
  const change = async () => {
    if (await act(() => changePassword(old, next)) === null) return
    setOld('')
    setNext('')
    notify('good', 'Your password is changed.', 'You are logged out everywhere else.')
    await onChanged()
  }
  return (
    <section class="card" aria-label="Your password">
      <h2>Your password</h2>
      <form class="custom" onSubmit={(event) => {
        event.preventDefault()
        if (old && !weak && !busy) void change()
      }}>
        <input class="unseen" type="text" name="username" autocomplete="username" tabIndex={-1} aria-hidden="true" readOnly value={name} />
        <PasswordField label="Password now" value={old} onInput={setOld} autocomplete="current-password" wrong={error?.code === 'not_proven'} />
        <PasswordField label="New password" value={next} onInput={setNext} autocomplete="new-password" wrong={next !== '' && weak !== ''} hint={`At least ${minPassword} characters. Changing it logs you out everywhere else.`} />
        <Problem error={error} />
        <button type="submit" class="btn" disabled={!old || weak !== '' || busy || !live.value}>{busy && <Spinner />} Change my password</button>
      </form>
    </section>
  )
}

interface SessionsProps {
  sessions: readonly Session[]
  everybodys: boolean
  onEverybodys: (all: boolean) => void
  onEnded: () => Promise<void>
}

function Sessions({ sessions, everybodys, onEverybodys, onEnded }: SessionsProps) {
  const { busy, error, act } = useAct()
  const others = sessions.filter((s) => !s.current)
  const end = async (gone: readonly Session[]) => {
    for (const { id } of gone) if (await act(() => endSession(id)) === null) break
    await onEnded()
  }
  return (
    <section class="card" aria-label="Logged in">
      <h2>Logged in</h2>
      {owners() && <label class="check"><input type="checkbox" checked={everybodys} onChange={(event) => onEverybodys(event.currentTarget.checked)} /><span>Show everybody, not only me</span></label>}
      {sessions.length === 0 && <p class="muted">No browser is logged in.</p>}
      <ul class="rows">
        {sessions.map((s) => <li key={s.id}><Row session={s} named={everybodys} disabled={busy || !live.value} onEnd={() => void end([s])} /></li>)}
      </ul>
      <Problem error={error} />
      {!everybodys && others.length > 0 && <button type="button" class="btn danger" disabled={busy || !live.value} onClick={() => void end(others)}>Log out all others</button>}
    </section>
  )
}

function Row({ session: s, named, disabled, onEnd }: { session: Session; named: boolean; disabled: boolean; onEnd: () => void }) {
  const device = deviceText(s.agent)
  const who = named ? `${s.name} (${roleName(s.role).toLowerCase()}), ` : ''
  return (
    <div class="row">
      <p class="row-open">
        <strong class="wrap">{who}{device}</strong>
        <small class="muted wrap">{[viaText(s.via), s.from && `from ${s.from}`, agoText(s.used_ms, link.clock.now())].filter(Boolean).join(' · ')}</small>
      </p>
      {s.current ? <span class="mark"><Icon name="check" size={18} />This one</span>
        : <button type="button" class="icon-button" aria-label={`Log out ${who}${device}`} disabled={disabled} onClick={onEnd}><Icon name="close" size={20} /></button>}
    </div>
  )
}
