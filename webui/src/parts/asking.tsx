// Programs that ask for a key of their own, such as Cura and the phone apps for OctoPrint. An owner answers here.
import { useEffect, useId, useState } from 'preact/hooks'
import { confirmed } from '../confirm'
import { notify, perform, state } from '../state'
import type { AppRequest, Role } from '../wire'
import { Icon, Spinner } from './icon'
import { RoleChoice, usable } from './said'

/** The question may come up under a finger: for so long it takes no yes. In ms. */
const settles = 1000

export function Asking() {
  return <>{state.value?.asking.map((request) => <Request key={request.id} request={request} />)}</>
}

function Request({ request: { id, app, from } }: { request: AppRequest }) {
  const name = useId()
  const [role, setRole] = useState<Role>('operator')
  const [busy, setBusy] = useState(false)
  const [settled, setSettled] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(true), settles)
    return () => clearTimeout(timer)
  }, [])
  const answer = async (doing: { do: 'allow_app'; app: string; role: Role } | { do: 'deny_app'; app: string }) => {
    setBusy(true)
    const said = await confirmed(() => perform('apps', doing, true))
    setBusy(false)
    if (said?.error) notify('error', said.error.message, said.error.next)
    else if (said && doing.do === 'allow_app') notify('good', `${app} has a key now.`, 'Take it back under Settings, Keys and links.')
  }
  return (
    <section class="card" role="alert" aria-label={`${app} asks for a key`}>
      <h2><Icon name="key" /> <span class="wrap">{app} asks for a key</span></h2>
      <p>Somebody at <span class="wrap">{from}</span> has asked with a program that calls itself so. Allow it only if that was you.</p>
      <RoleChoice name={name} value={role} disabled={busy} onChoose={setRole} />
      <div class="card-actions">
        <button type="button" class="btn primary" disabled={!usable() || busy || !settled} onClick={() => void answer({ do: 'allow_app', app: id, role })}>{busy && <Spinner />} Allow</button>
        <button type="button" class="btn" disabled={!usable() || busy} onClick={() => void answer({ do: 'deny_app', app: id })}>Refuse</button>
      </div>
    </section>
  )
}
