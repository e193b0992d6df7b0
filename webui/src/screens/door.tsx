// The door, which everybody meets who is not logged in:
//
//	#setup=… in the address, and nobody owns this layerd ─▶ Welcome: the first owner
//	nobody owns it, and no link ─▶ where the link is printed
//	there are accounts ─▶ name and password, a key below
//	there are none ─▶ a key
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'
import { login } from '../api'
import { begunAnew, doorWords, getDoor, logIn, passwordProblem, refusedBy, restore, setUp, waitText, type DoorState, type Tried } from '../door'
import { Icon, Spinner, type IconName } from '../parts/icon'
import { PasswordField } from '../parts/password'
import { readCarried } from '../route'
import { enter, enterAnew, setupSecret } from '../session'
import { checkLogin, loggedIn, state, tick, turnedAway } from '../state'

export function Door() {
  const [door, setDoor] = useState<DoorState | null>(null)
  const [problem, setProblem] = useState('')
  const load = async () => {
    setProblem('')
    try {
      const now = await getDoor()
      setDoor(now)
      if (!setupSecret.value || now.setup) return
      await checkLogin() // the link was used already, perhaps in this browser
      if (loggedIn.value) enter()
    } catch (error) {
      setProblem(doorWords(refusedBy(error), 'key'))
    }
  }
  useEffect(() => void load(), [])
  return (
    <main class="door">
      {door ? <Ask door={door} /> : (
        <section class="card center">
          {problem ? <><p role="alert">{problem}</p><button type="button" class="btn" onClick={() => void load()}>Try again</button></> : <Spinner />}
        </section>
      )}
    </main>
  )
}

function Ask({ door }: { door: DoorState }) {
  if (door.setup && setupSecret.value) return <Welcome name={door.name} />
  if (door.setup) return <NoOwner />
  return (
    <section class="card">
      <Head icon={door.accounts ? 'lock' : 'key'} title={door.accounts ? 'Log in' : 'A key is needed'} name={door.name} />
      <Why />
      {door.accounts ? <PasswordForm /> : (
        <>
          <p class="muted">This printer is not open to everybody. Paste a key, or open the address that layerd printed when it made one.</p>
          <KeyForm />
        </>
      )}
      {door.accounts ? <details><summary>I have a key</summary><KeyForm /></details> : <details><summary>I have no key</summary><MakeKey /></details>}
    </section>
  )
}

function Head({ icon, title, name }: { icon: IconName; title: string; name: string }) {
  return (
    <header class="door-head">
      <span class="door-icon"><Icon name={icon} size={32} /></span>
      <div><h1>{title}</h1>{name && <p class="muted wrap">{name}</p>}</div>
    </header>
  )
}

/** Why somebody stands here who did not expect it. */
function Why() {
  const away = turnedAway.value
  const said = away?.code === 'not_invited' ? `${away.message} ${away.next}`
    : away?.code === 'too_many_tries' ? `${away.message} ${away.next}`
      : away ? 'The link or key that you came with does not work: it has expired, was taken back, or is not whole.'
        : setupSecret.value ? 'This layerd has its owner already, so its set-up link does nothing any more.'
          : state.value ? 'You are not logged in any more: this login has expired, or was ended.' : ''
  return said ? <p class="why bar" role="status"><Icon name="info" size={20} /><span class="wrap">{said}</span></p> : null
}

/** What a form needs to try something: whether it is busy, why it did not work, and for how many seconds it must wait. */
function useTry(tried: Tried) {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const [untilMs, setUntil] = useState(0)
  void tick.value
  const attempt = async (run: () => Promise<void>) => {
    setBusy(true)
    setProblem('')
    setUntil(0)
    try {
      await run()
      enterAnew()
    } catch (error) {
      const refused = refusedBy(error)
      setProblem(doorWords(refused, tried))
      setUntil(refused.waitS > 0 ? Date.now() + refused.waitS * 1000 : 0)
      setBusy(false)
    }
  }
  return { busy, problem, waitS: Math.max(0, Math.ceil((untilMs - Date.now()) / 1000)), attempt }
}

interface TryProps { trying: ReturnType<typeof useTry>; ready: boolean; onTry: () => Promise<void>; button: string; children: ComponentChildren }

function TryForm({ trying, ready, onTry, button, children }: TryProps) {
  const { busy, problem, waitS, attempt } = trying
  return (
    <form class="door-form" onSubmit={(event) => {
      event.preventDefault()
      if (ready && !busy && waitS === 0) void attempt(onTry)
    }}>
      {children}
      <p class="problem" role="alert">{problem}</p>
      <button type="submit" class="btn primary wide" disabled={!ready || busy || waitS > 0}>
        {busy && <Spinner />}{waitS > 0 ? <span class="num">Wait {waitText(waitS)}</span> : button}
      </button>
    </form>
  )
}

function NameField({ value, onInput }: { value: string; onInput: (value: string) => void }) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>Name</label>
      <input id={id} type="text" name="username" autocomplete="username" autocapitalize="off" spellcheck={false} maxLength={64} value={value} onInput={(event) => onInput(event.currentTarget.value)} />
    </div>
  )
}

function PasswordForm() {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const trying = useTry('password')
  return (
    <TryForm trying={trying} ready={name.trim() !== '' && password !== ''} button="Log in" onTry={() => logIn(name.trim(), password)}>
      <NameField value={name} onInput={setName} />
      <PasswordField label="Password" value={password} onInput={setPassword} autocomplete="current-password" wrong={trying.problem !== ''} />
    </TryForm>
  )
}

/** Takes a key, or the whole address that has one. */
function KeyForm({ label = 'Key' }: { label?: string }) {
  const id = useId()
  const [text, setText] = useState('')
  const trying = useTry('key')
  const enterKey = async () => {
    const carried = readCarried(text)
    await login(carried?.secret ?? text.trim())
  }
  return (
    <TryForm trying={trying} ready={text.trim() !== ''} button="Log in" onTry={enterKey}>
      <div class="field">
        <label for={id}>{label}</label>
        <input id={id} type="password" class="mono" autocomplete="off" autocapitalize="off" spellcheck={false} placeholder="ld_…" value={text} aria-invalid={trying.problem !== ''}
          onInput={(event) => {
            const pasted = event.currentTarget.value
            const carried = readCarried(pasted)
            if (carried?.kind === 'setup') setupSecret.value = carried.secret
            else setText(pasted)
          }} />
      </div>
    </TryForm>
  )
}

/** The first owner: who has the printed link chooses a name and a password. */
function Welcome({ name: host }: { name: string }) {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const trying = useTry('setup')
  const weak = passwordProblem(password)
  return (
    <section class="card">
      <Head icon="key" title="Welcome" name={host} />
      <p class="muted">Nobody owns this layerd yet. Choose a name and a password, and you are its owner: you may do everything, and let others in.</p>
      <TryForm trying={trying} ready={name.trim() !== '' && weak === ''} button="Become the owner" onTry={() => setUp(setupSecret.value, name.trim(), password)}>
        <NameField value={name} onInput={setName} />
        <PasswordField label="Password" value={password} onInput={setPassword} autocomplete="new-password" wrong={password !== '' && weak !== ''} hint={weak || 'Long enough.'} />
      </TryForm>
      <p class="muted small">Have it kept by your browser or phone. Who forgets it needs the computer that runs layerd to get in again.</p>
      <details><summary>I have a backup</summary><RestoreForm /></details>
    </section>
  )
}

/** Gives layerd a backup, in place of making a first owner; then waits until it has begun anew, and asks to log in. */
function RestoreForm() {
  const id = useId()
  const [file, setFile] = useState<File | null>(null)
  const trying = useTry('setup')
  const restored = async () => {
    if (!file) return
    await restore(setupSecret.value, file)
    await begunAnew()
    location.reload()
    await new Promise(() => undefined) // until then
  }
  return (
    <TryForm trying={trying} ready={file !== null} button="Restore it" onTry={restored}>
      <p class="muted">Settings, people and history become those of the backup. Log in with the password that you had.</p>
      <div class="field">
        <label for={id}>Backup of a layerd</label>
        <input id={id} type="file" aria-invalid={trying.problem !== ''} onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)} />
      </div>
    </TryForm>
  )
}

function NoOwner() {
  return (
    <section class="card">
      <Head icon="key" title="Nobody owns this layerd yet" name="" />
      <Why />
      <p>When it was started, it printed a link. Whoever opens it first becomes the owner.</p>
      <ul class="steps-plain muted">
        <li>It stands where layerd was started, on the console,</li>
        <li>and in the journal of its computer: <pre>journalctl -u layerd</pre></li>
      </ul>
      <KeyForm label="The link, or a key" />
      <details><summary>I have neither</summary><MakeKey /></details>
    </section>
  )
}

function MakeKey() {
  return (
    <>
      <p>On the computer that runs layerd, make a key:</p>
      <pre>layerd token create --name phone --role owner</pre>
      <p class="muted small">Its last line is the key. A key of the role <em>operator</em> may print but not change settings, one of the role <em>viewer</em> may only look.</p>
    </>
  )
}
