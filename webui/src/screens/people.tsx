// Who may come in by name: accounts with passwords, people whom the tailnet knows, and those that the configuration names.
import { useId, useState } from 'preact/hooks'
import { useAct, useLoaded } from '../acting'
import { minPassword, passwordProblem } from '../door'
import { Icon, Spinner } from '../parts/icon'
import { PasswordField } from '../parts/password'
import { OwnersOnly, owners, Problem, RoleChoice, usable } from '../parts/said'
import { Sheet } from '../parts/sheet'
import { addPerson, agoText, changePerson, generatedPassword, getPeople, removePerson, roleName, type People, type Person } from '../people'
import { link, notify, state } from '../state'
import type { Role } from '../wire'

export function PeoplePage() {
  return owners() ? <Everybody /> : <OwnersOnly />
}

function Everybody() {
  const [all, reload] = useLoaded(getPeople)
  const [open, setOpen] = useState('')
  const [adding, setAdding] = useState(false)
  if (!all) return <p class="center muted"><Spinner /></p>
  const opened = all.people.find((p) => p.id === open)
  return (
    <div class="custom">
      <section class="card" aria-label="People">
        <h2>People</h2>
        {all.people.length === 0 && <p class="muted">Nobody has an account yet.</p>}
        <ul class="rows">
          {all.people.map((p) => <li key={p.id}><Row person={p} onOpen={() => setOpen(p.id)} /></li>)}
        </ul>
        <button type="button" class="btn primary" disabled={!usable()} aria-haspopup="dialog" onClick={() => setAdding(true)}><Icon name="plus" /> Add a person</button>
      </section>
      <Configured all={all} />
      {adding && <Add onClose={() => setAdding(false)} onAdded={reload} />}
      {opened && <Change key={opened.id} person={opened} onClose={() => setOpen('')} onChanged={reload} />}
    </div>
  )
}

function Row({ person: p, onOpen }: { person: Person; onOpen: () => void }) {
  const seen = p.used_ms > 0 ? `last seen ${agoText(p.used_ms, link.clock.now())}` : 'has not come in yet'
  return (
    <div class="row">
      <button type="button" class="row-open" aria-haspopup="dialog" onClick={onOpen}>
        <strong class="wrap">{p.name}</strong>
        <small class="muted">{[roleName(p.role), p.tailnet && 'by the tailnet', seen].filter(Boolean).join(' · ')}</small>
      </button>
      {p.id === state.value?.me.id && <span class="mark"><Icon name="check" size={18} />You</span>}
    </div>
  )
}

/** What only the configuration changes. */
function Configured({ all }: { all: People }) {
  const others = all.default_role === 'nobody' ? 'Nobody else of the tailnet is let in.' : `Everybody else of the tailnet comes in as ${roleName(all.default_role).toLowerCase()}.`
  return (
    <section class="card" aria-label="Named in the configuration">
      <h2>Named in the configuration</h2>
      {all.configured.length > 0 && (
        <ul class="rows">
          {all.configured.map((p) => <li key={p.login} class="row"><p class="row-open"><strong class="wrap">{p.login}</strong><small class="muted">{roleName(p.role)} · by the tailnet</small></p></li>)}
        </ul>
      )}
      <p class="muted">{others}</p>
      <p class="locked"><Icon name="lock" size={18} />Set by the configuration, so it cannot be changed here.</p>
    </section>
  )
}

/** A new password that somebody else will type: chosen, or made up and then told to him. */
function NewPassword({ label = 'Password', value, onInput }: { label?: string; value: string; onInput: (value: string) => void }) {
  const [made, setMade] = useState(0)
  const weak = passwordProblem(value)
  return (
    <div class="new-password">
      <PasswordField key={made} label={label} value={value} onInput={onInput} autocomplete="new-password" open={made > 0} wrong={value !== '' && weak !== ''} hint={made > 0 ? 'Tell it to them: it is not shown again.' : `At least ${minPassword} characters. They can change it themselves.`} />
      <button type="button" class="btn small" onClick={() => {
        onInput(generatedPassword())
        setMade(made + 1)
      }}>Make one up</button>
    </div>
  )
}

function Add({ onClose, onAdded }: { onClose: () => void; onAdded: () => Promise<void> }) {
  const id = useId()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('operator')
  const [tailnet, setTailnet] = useState(false)
  const [password, setPassword] = useState('')
  const { busy, error, act } = useAct()
  const ready = name.trim() !== '' && (tailnet || passwordProblem(password) === '')
  const add = async () => {
    const who = name.trim()
    if (await act(() => addPerson(tailnet ? { name: who, role, tailnet } : { name: who, role, password })) === null) return
    notify('good', `${who} may come in now.`)
    onClose()
    await onAdded()
  }
  return (
    <Sheet title="Add a person" onClose={onClose} firm>
      <form onSubmit={(event) => {
        event.preventDefault()
        if (ready && !busy) void add()
      }}>
        <div class="segments" role="radiogroup" aria-label="How they come in">
          <button type="button" role="radio" aria-checked={!tailnet} onClick={() => setTailnet(false)}>Password</button>
          <button type="button" role="radio" aria-checked={tailnet} onClick={() => setTailnet(true)}>By the tailnet</button>
        </div>
        <div class="field">
          <label for={id}>{tailnet ? 'Login on the tailnet' : 'Name'}</label>
          <input id={id} type="text" autocomplete="off" autocapitalize="off" spellcheck={false} maxLength={64} placeholder={tailnet ? 'alice@example.com' : 'such as Alice'} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </div>
        {tailnet ? <p class="muted small">The tailnet says who is calling, so they need no password.</p> : <NewPassword value={password} onInput={setPassword} />}
        <RoleChoice name={`${id}r`} value={role} onChoose={setRole} />
        <Problem error={error} />
        <div class="sheet-actions">
          <button type="submit" class="btn primary" disabled={!ready || busy || !usable()}>{busy && <Spinner />} Add</button>
        </div>
      </form>
    </Sheet>
  )
}

function Change({ person: p, onClose, onChanged }: { person: Person; onClose: () => void; onChanged: () => Promise<void> }) {
  const id = useId()
  const [role, setRole] = useState(p.role)
  const [password, setPassword] = useState('')
  const [removing, setRemoving] = useState(false)
  const { busy, error, act } = useAct()
  const run = async (what: () => Promise<string>, said: string) => {
    const done = await act(what) !== null
    setRemoving(false)
    if (!done) return
    notify('good', said)
    onClose()
    await onChanged()
  }
  if (removing) {
    return (
      <Sheet title={`Remove ${p.name}?`} role="alertdialog" firm onClose={() => setRemoving(false)}>
        <p><strong class="wrap">{p.name}</strong> cannot come in any more and is logged out everywhere at once. The history keeps what {p.name} has printed.</p>
        <div class="sheet-actions">
          <button type="button" class="btn danger solid" disabled={busy} onClick={() => void run(() => removePerson(p.id), `${p.name} is removed.`)}>{busy && <Spinner />} Remove {p.name}</button>
          <button type="button" class="btn" onClick={() => setRemoving(false)}>Keep</button>
        </div>
      </Sheet>
    )
  }
  return (
    <Sheet title={p.name} onClose={onClose} firm>
      <form onSubmit={(event) => {
        event.preventDefault()
        void run(() => changePerson(p.id, { role }), `${p.name} is ${roleName(role).toLowerCase()} now.`)
      }}>
        <RoleChoice name={`${id}r`} value={role} onChoose={setRole} disabled={busy} />
        <button type="submit" class="btn primary" disabled={busy || role === p.role || !usable()}>Change the role</button>
      </form>
      {!p.tailnet && (
        <form onSubmit={(event) => {
          event.preventDefault()
          if (passwordProblem(password) === '') void run(() => changePerson(p.id, { password }), `${p.name} has a new password, and is logged out elsewhere.`)
        }}>
          <NewPassword label="New password" value={password} onInput={setPassword} />
          <button type="submit" class="btn" disabled={busy || passwordProblem(password) !== '' || !usable()}>Set the new password</button>
        </form>
      )}
      <Problem error={error} />
      <div class="sheet-actions">
        <button type="button" class="btn danger" disabled={busy || !usable()} onClick={() => setRemoving(true)}><Icon name="trash" /> Remove {p.name}</button>
      </div>
    </Sheet>
  )
}
