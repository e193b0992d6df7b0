// The door: a key is needed, and here it can be given.
import { useId, useState } from 'preact/hooks'
import { login, Refused, unreachable } from '../api'
import { Icon, Spinner } from '../parts/icon'
import { enter } from '../session'

export function KeyScreen() {
  const id = useId()
  const [key, setKey] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const submit = async () => {
    setBusy(true)
    setProblem('')
    try {
      await login(key.trim())
      enter()
    } catch (error) {
      const refused = error instanceof Refused ? error : unreachable()
      setProblem(refused.status === 401 ? 'layerd does not know this key. Check that all of it was copied.' : `${refused.error.message} ${refused.error.next}`)
      setBusy(false)
    }
  }
  return (
    <main class="door">
      <form class="card" onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}>
        <span class="door-icon"><Icon name="key" size={32} /></span>
        <h1>A key is needed</h1>
        <p class="muted">This printer is not open to everybody. Paste a key, or open the address that layerd printed when it made one.</p>
        <div class="field">
          <label for={id}>Key</label>
          <input id={id} type="password" class="mono" autocomplete="current-password" autocapitalize="off" spellcheck={false} placeholder="ld_…" value={key}
            aria-invalid={problem !== ''} aria-describedby={`${id}p`} onInput={(event) => setKey(event.currentTarget.value)} />
        </div>
        <p id={`${id}p`} class="problem" role="alert">{problem}</p>
        <button type="submit" class="btn primary wide" disabled={busy || key.trim() === ''}>{busy && <Spinner />} Log in</button>
        <details>
          <summary>I have no key</summary>
          <p>On the computer that runs layerd, make one:</p>
          <pre>layerd token create --name phone --role owner</pre>
          <p class="muted small">Its last line is the key. A key of the role <em>operator</em> may print but not change settings, one of the role <em>viewer</em> may only look.</p>
        </details>
      </form>
    </main>
  )
}
