// Proving again who one is, before something dangerous:
//
//	confirmed(run) ─▶ run ─▶ layerd says "confirm" ─▶ the sheet asks for the password, or the key ─▶ POST /v1/confirm ─▶ run again
//	                                                    └─ given up: null
//
// The shell shows the sheet, so that whatever calls this need not.
import { useEffect, useId, useLayoutEffect, useState } from 'preact/hooks'
import { Refused } from './api'
import { doorWords, refusedBy, waitText } from './door'
import { Spinner } from './parts/icon'
import { PasswordField } from './parts/password'
import { Sheet } from './parts/sheet'
import { confirmWith, getSessions } from './people'
import { over, state, tick } from './state'

/**
 * Runs a call or a command, and again once the person has proved who he is when layerd wants that. Null: he gave up. Whatever else run throws or
 * answers is passed on. A command is to be quiet: perform(key, doing, true).
 */
export async function confirmed<T>(run: () => Promise<T>): Promise<T | null> {
  for (;;) {
    try {
      const value = await run()
      if (!wantsConfirm(value)) return value
    } catch (error) {
      if (!(error instanceof Refused && error.error.code === 'confirm')) throw error
    }
    if (!await askAgain()) return null
  }
}

/** Whether it is the answer of a command that layerd did not take for that reason. */
function wantsConfirm(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'error' in value && typeof value.error === 'object' && value.error !== null && 'code' in value.error && value.error.code === 'confirm'
}

let asked: Promise<boolean> | null = null // two that ask at once share the sheet

function askAgain(): Promise<boolean> {
  asked ??= new Promise<boolean>((settle) => {
    const Shown = () => <ConfirmSheet onEnd={(proved) => {
      if (over.value !== Shown) return
      asked = over.value = null
      settle(proved)
    }} />
    over.value = Shown
  })
  return asked
}

function ConfirmSheet({ onEnd }: { onEnd: (proved: boolean) => void }) {
  const id = useId()
  const [byKey, setByKey] = useState(false)
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const [untilMs, setUntil] = useState(0)
  useEffect(() => {
    getSessions().then((all) => setByKey(all.find((s) => s.current)?.via === 'key'), () => undefined) // not known: the password, and a way to the key
  }, [])
  useLayoutEffect(() => () => onEnd(false), []) // the shell goes: nobody is logged in any more.
  void tick.value
  const waitS = Math.max(0, Math.ceil((untilMs - Date.now()) / 1000))
  const prove = async () => {
    setBusy(true)
    setProblem('')
    try {
      await confirmWith(byKey ? { key: text.trim() } : { password: text })
      onEnd(true)
    } catch (error) {
      const refused = refusedBy(error)
      setProblem(doorWords(refused, byKey ? 'key' : 'password'))
      setUntil(refused.waitS > 0 ? Date.now() + refused.waitS * 1000 : 0)
      setBusy(false)
    }
  }
  return (
    <Sheet title="Is it you?" onClose={() => onEnd(false)} firm>
      <p>In the wrong hands this could do harm. {byKey ? 'Show your key once more' : 'Give your password once more'}; for ten minutes you are not asked again.</p>
      <form onSubmit={(event) => {
        event.preventDefault()
        if (text && !busy && waitS === 0) void prove()
      }}>
        <input class="unseen" type="text" name="username" autocomplete="username" tabIndex={-1} aria-hidden="true" readOnly value={state.value?.me.name ?? ''} />
        {byKey
          ? (
            <div class="field">
              <label for={id}>Your key</label>
              <input id={id} type="password" class="mono" autocomplete="off" spellcheck={false} placeholder="ld_…" value={text} aria-invalid={problem !== ''} onInput={(event) => setText(event.currentTarget.value)} />
            </div>
          )
          : <PasswordField label="Your password" value={text} onInput={setText} autocomplete="current-password" wrong={problem !== ''} />}
        <p class="problem" role="alert">{problem}</p>
        <div class="sheet-actions">
          <button type="submit" class="btn primary" disabled={!text || busy || waitS > 0}>{busy && <Spinner />}{waitS > 0 ? <span class="num">Wait {waitText(waitS)}</span> : 'Go on'}</button>
          <button type="button" class="btn" onClick={() => onEnd(false)}>Cancel</button>
          <button type="button" class="btn quiet" onClick={() => {
            setByKey(!byKey)
            setText('')
            setProblem('')
          }}>{byKey ? 'I came in with a password' : 'I came in with a key'}</button>
        </div>
      </form>
    </Sheet>
  )
}
