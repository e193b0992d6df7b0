// The saved profiles: which is in use, another one, a new one, and the values of the one in use.
import { useState } from 'preact/hooks'
import { readProfiles, useKept, whyNotOwner, type Profiles } from '../custom'
import { asking, notify, perform, state } from '../state'
import type { ApiError, Doing, Profile } from '../wire'
import { underWay } from '../words'
import { Icon, Spinner } from './icon'
import { ProfileForm } from './profileform'
import { Sheet } from './sheet'

const kinematics = { cartesian: '', corexy: ' · CoreXY', delta: ' · delta' }

/** "220 × 220 × 250 mm, 2 nozzles". */
export function profileWords(p: Profile): string {
  const tools = p.nozzles === 1 ? '' : p.mixing ? ` · mixes ${p.nozzles} filaments` : p.shared_nozzle ? ` · ${p.nozzles} filaments, one nozzle` : ` · ${p.nozzles} nozzles`
  return `${p.width_mm} × ${p.depth_mm} × ${p.height_mm} mm${kinematics[p.kinematics]}${tools}`
}

export function ProfilesPage() {
  const kept = useKept('/v1/profiles', readProfiles)
  const [open, setOpen] = useState<string | null>(null)
  const [adding, setAdding] = useState(false)
  const s = state.value
  if (!kept || !s) return <p class="center muted"><Spinner /></p>
  const printing = underWay(s)
  const why = whyNotOwner()
  return (
    <div class="custom">
      {why && <p class="why bar"><Icon name="lock" size={20} />{why}</p>}
      {!why && printing && <p class="why bar"><Icon name="info" size={20} />Not while a print is under way.</p>}
      <div class="columns">
        <section class="card" aria-label="Saved profiles">
          <h2>Saved profiles</h2>
          <ul class="rows">
            {kept.profiles.map((p) => (
              <li key={p.name} class="row">
                <button type="button" class="row-open" aria-haspopup="dialog" aria-current={p.name === kept.in_use} disabled={why !== ''} onClick={() => setOpen(p.name)}>
                  <strong class="wrap">{p.name}</strong>
                  <small class="muted">{profileWords(p)}</small>
                </button>
                {p.name === kept.in_use && <span class="mark"><Icon name="check" size={18} />In use</span>}
              </li>
            ))}
          </ul>
          <button type="button" class="btn" disabled={why !== ''} onClick={() => setAdding(true)}><Icon name="plus" size={20} /> Add a profile</button>
        </section>
        <ProfileForm profile={s.profile} presets={kept.presets} enabled={why === ''} printing={printing} />
      </div>
      {open !== null && <One name={open} kept={kept} printing={printing} onClose={() => setOpen(null)} />}
      {adding && <Add kept={kept} now={s.profile} onClose={() => setAdding(false)} />}
    </div>
  )
}

/** ask does one command, and keeps its error for the sheet. */
function useAsk(done: (text: string) => void) {
  const [error, setError] = useState<ApiError | null>(null)
  const ask = async (doing: Doing, text: string) => {
    const answer = await perform('profile', doing, true)
    setError(answer.error)
    if (!answer.error) done(text)
  }
  return { error, ask, busy: asking('profile') !== null }
}

function Problem({ error }: { error: ApiError | null }) {
  return <p class="problem" role="alert">{error && <><strong>{error.message}</strong> {error.next}</>}</p>
}

function One({ name, kept, printing, onClose }: { name: string; kept: Profiles; printing: boolean; onClose: () => void }) {
  const [to, setTo] = useState(name)
  const { error, ask, busy } = useAsk((text) => {
    notify('good', text)
    onClose()
  })
  const used = name === kept.in_use
  return (
    <Sheet title={name} onClose={onClose}>
      {!used && <button type="button" class="btn primary" disabled={busy || printing} onClick={() => void ask({ do: 'choose_profile', name }, `${name} is in use.`)}>{busy && <Spinner />} Use this profile</button>}
      {used && <p class="why"><Icon name="check" size={20} />It is in use. Its values can be changed on the page.</p>}
      <form class="inline-form" onSubmit={(event) => {
        event.preventDefault()
        void ask({ do: 'rename_profile', name, to: to.trim() }, 'The profile has its new name.')
      }}>
        <div class="field">
          <label for="profile-to">Name</label>
          <input id="profile-to" type="text" maxLength={80} autocomplete="off" value={to} onInput={(event) => setTo(event.currentTarget.value)} />
        </div>
        <button type="submit" class="btn" disabled={busy || to.trim() === '' || to.trim() === name || used && printing}>Rename</button>
      </form>
      <Problem error={error} />
      <div class="sheet-actions">
        <button type="button" class="btn danger" disabled={busy || used} onClick={() => void ask({ do: 'delete_profile', name }, `${name} is deleted.`)}><Icon name="trash" size={20} /> Delete</button>
        {used && <p class="why"><Icon name="info" size={20} />Use another one before you delete it.</p>}
      </div>
    </Sheet>
  )
}

function Add({ kept, now, onClose }: { kept: Profiles; now: Profile; onClose: () => void }) {
  const [from, setFrom] = useState('')
  const [name, setName] = useState('')
  const { error, ask, busy } = useAsk((text) => {
    notify('good', text)
    onClose()
  })
  const base = kept.presets.find((p) => p.name === from) ?? now
  const free = (wanted: string) => (kept.profiles.some((p) => p.name === wanted) ? `${wanted} 2` : wanted)
  const called = name.trim() || free(from || `${now.name}, a copy`)
  return (
    <Sheet title="Add a profile" onClose={onClose}>
      <form onSubmit={(event) => {
        event.preventDefault()
        void ask({ do: 'save_profile', profile: { ...base, name: called } }, `${called} is saved.`)
      }}>
        <div class="field">
          <label for="profile-from">Start from</label>
          <select id="profile-from" value={from} onChange={(event) => setFrom(event.currentTarget.value)}>
            <option value="">The one in use</option>
            {kept.presets.map((p) => <option key={p.name} value={p.name}>{p.name}</option>)}
          </select>
          <p class="muted small">{profileWords(base)}</p>
        </div>
        <div class="field">
          <label for="profile-new">Name</label>
          <input id="profile-new" type="text" maxLength={80} autocomplete="off" value={name} placeholder={called} onInput={(event) => setName(event.currentTarget.value)} />
        </div>
        <Problem error={error} />
        <div class="sheet-actions"><button type="submit" class="btn primary" disabled={busy}>{busy && <Spinner />} Save profile</button></div>
      </form>
    </Sheet>
  )
}
