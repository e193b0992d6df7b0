// The spools: what is left on each, which is on, and the form to add or change one. Those of a Spoolman are changed there.
import { useEffect, useId, useState } from 'preact/hooks'
import { followShelf, shelf, type Shelf, type Spool } from '../shelf'
import { allowed, asking, link, live, perform, state } from '../state'
import { dash, meters, moment, trim, typed } from '../units'
import type { ApiError, SpoolEdit } from '../wire'
import { Icon, Spinner } from './icon'
import { May } from './may'
import { Sheet } from './sheet'
import { leftText, Swatch } from './spoolline'

export function Spools() {
  useEffect(followShelf, [])
  const [editing, setEditing] = useState<Spool | 'new' | null>(null)
  const [old, setOld] = useState(false)
  const all = shelf.value
  if (!all) return <p class="center muted"><Spinner /></p>
  const may = live.value && allowed('operator')
  const own = all.source === 'layerd'
  const shown = all.spools.filter((s) => old || !s.archived)
  const archived = all.spools.filter((s) => s.archived).length
  return (
    <section class="shelf" aria-label="Spools">
      {!own && <SpoolmanNote all={all} />}
      {own && <May><button type="button" class="btn primary" disabled={!may} onClick={() => setEditing('new')}><Icon name="plus" /> Add a spool</button></May>}
      {shown.length === 0 && <section class="card center"><Icon name="spool" size={32} /><p>No spools yet.</p>{own && allowed('operator') && <p class="muted">Add the one on your printer, and layerd says what is left on it and whether a file needs more.</p>}</section>}
      <ul class="file-list">
        {shown.map((s) => <li key={s.id}><SpoolCard s={s} all={all} may={may} onEdit={own ? () => setEditing(s) : null} /></li>)}
      </ul>
      {archived > 0 && <button type="button" class="btn wide" onClick={() => setOld(!old)}>{old ? 'Hide archived ones' : `Show archived ones (${archived})`}</button>}
      {editing && <SpoolForm s={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />}
    </section>
  )
}

function SpoolmanNote({ all }: { all: Shelf }) {
  return (
    <p class="why bar" role="status"><Icon name={all.problem ? 'warn' : 'info'} size={20} />
      <span>The spools are those of your Spoolman, and are changed there.{' '}
        {all.problem && <>It does not answer as it should: {all.at_ms > 0 ? `this is what it said ${moment(all.at_ms, link.clock.now())}` : 'nothing is known yet'}. What prints use is kept, and told when it is back. <small class="wrap">({all.problem})</small></>}
      </span>
    </p>
  )
}

function SpoolCard({ s, all, may, onEdit }: { s: Spool; all: Shelf; may: boolean; onEdit: (() => void) | null }) {
  const tools = state.value?.profile.nozzles ?? 1
  const on = all.active.filter((a) => a.spool === s.id).map((a) => a.tool)
  const full = s.left_mm < 0 ? 0 : s.left_mm + s.used_mm
  const share = full > 0 ? s.left_mm / full : 0
  const busy = asking('spool') !== null
  const put = (tool: number, spool_id: number) => void perform('spool', { do: 'set_spool', tool, spool_id })
  return (
    <article class={`card spool${on.length > 0 ? ' on' : ''}`} aria-label={s.name}>
      <div class="spool-head">
        <Swatch colour={s.colour} />
        <span class="file-words"><strong class="wrap">{s.name}</strong><small>{[s.material, `${trim(s.diameter_mm, 2)} mm`, s.archived ? 'archived' : ''].filter(Boolean).join(' · ')}</small></span>
        {onEdit && allowed('operator') && <button type="button" class="icon-button" aria-label={`Change ${s.name}`} disabled={!may} onClick={onEdit}><Icon name="edit" size={20} /></button>}
      </div>
      {s.left_mm >= 0 && <progress class={share < 0.1 ? 'still' : ''} max={1} value={share} aria-label={`Left on ${s.name}`} aria-valuetext={`${leftText(s)}, ${Math.round(share * 100)} percent`} />}
      <p class="spool-figures num">
        <span>{s.left_mm >= 0 ? <><strong data-testid={`left-${s.name}`}>{leftText(s)}</strong> · {Math.round(s.left_g)} g</> : 'What is left is not known.'}</span>
        <span class="muted">{s.used_mm > 0 ? `${meters(s.used_mm)} used` : 'new'}{s.cost > 0 && s.weight_g > 0 && s.left_g >= 0 ? ` · ${(s.cost * s.left_g / s.weight_g).toFixed(2)} left` : ''}</span>
      </p>
      {on.length > 0 && !allowed('operator') && <p class="mark"><Icon name="check" size={18} />On the printer</p>}
      {!s.archived && (
        <May><div class="card-actions">
          {Array.from({ length: tools }, (_, tool) => on.includes(tool)
            ? <button key={tool} type="button" class="btn small" aria-pressed disabled={!may || busy} onClick={() => put(tool, 0)}><Icon name="check" size={20} /> On {tools > 1 ? `nozzle ${tool + 1}` : 'the printer'}</button>
            : <button key={tool} type="button" class="btn small" disabled={!may || busy} onClick={() => put(tool, s.id)}>Put on {tools > 1 ? `nozzle ${tool + 1}` : 'the printer'}</button>)}
        </div></May>
      )}
    </article>
  )
}

// Densities in g/cm³, as Spoolman's and the slicers' own lists have them.
const materials: Readonly<Record<string, number>> = { PLA: 1.24, PETG: 1.27, ABS: 1.04, ASA: 1.07, TPU: 1.21, PA: 1.12, PC: 1.2 }

interface Draft {
  name: string
  material: string
  colour: string
  diameter: string
  density: string
  weight: string
  empty: string
  cost: string
  left: string
}

function draftOf(s: Spool | null): Draft {
  if (!s) return { name: '', material: 'PLA', colour: '#3a7bd5', diameter: '1.75', density: '1.24', weight: '1000', empty: '', cost: '', left: '' }
  return {
    name: s.name, material: s.material, colour: s.colour || '#888888', diameter: trim(s.diameter_mm, 2), density: trim(s.density_g_cm3, 3), weight: trim(s.weight_g, 1),
    empty: s.spool_g > 0 ? trim(s.spool_g, 1) : '', cost: s.cost > 0 ? trim(s.cost, 2) : '', left: '',
  }
}

/** Null when a number is none. */
export function editOf(d: Draft, s: Pick<Spool, 'id' | 'archived'> | null): SpoolEdit | null {
  const optional = (text: string) => (text.trim() === '' ? 0 : typed(text))
  const numbers = [typed(d.diameter), typed(d.density), typed(d.weight), optional(d.empty), optional(d.cost), optional(d.left)]
  const [diameter_mm, density_g_cm3, weight_g, spool_g, cost, left_g] = numbers
  if (numbers.some(Number.isNaN) || diameter_mm === undefined || density_g_cm3 === undefined || weight_g === undefined || spool_g === undefined || cost === undefined) return null
  return {
    ...(s ? { id: s.id } : {}), name: d.name.trim(), material: d.material.trim(), colour: d.colour, diameter_mm, density_g_cm3, weight_g, spool_g, cost,
    archived: s?.archived ?? false, ...(d.left.trim() !== '' ? { left_g } : {}),
  }
}

function SpoolForm({ s, onClose }: { s: Spool | null; onClose: () => void }) {
  const id = useId()
  const [d, setDraft] = useState(() => draftOf(s))
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const set = (change: Partial<Draft>) => setDraft({ ...d, ...change })
  const edit = editOf(d, s)
  const save = async (spool: SpoolEdit) => {
    setBusy(true)
    const answer = await perform('spools', { do: 'save_spool', spool }, true)
    setBusy(false)
    setError(answer.error)
    if (!answer.error) onClose()
  }
  const field = (key: keyof Draft, label: string, unit: string, hint = '') => (
    <div class="field">
      <label for={`${id}${key}`}>{label}</label>
      <span class="with-unit">
        <input id={`${id}${key}`} type="text" inputMode={unit ? 'decimal' : 'text'} autocomplete="off" placeholder={hint} value={d[key]}
          aria-invalid={unit !== '' && d[key].trim() !== '' && Number.isNaN(typed(d[key]))} onInput={(event) => set({ [key]: event.currentTarget.value })} />
        {unit && <span>{unit}</span>}
      </span>
    </div>
  )
  return (
    <Sheet title={s ? 'Change spool' : 'New spool'} onClose={onClose} firm>
      <form onSubmit={(event) => {
        event.preventDefault()
        if (edit) void save(edit)
      }}>
        {field('name', 'Name', '', 'such as Acme PLA orange')}
        <div class="field-grid">
          <div class="field">
            <label for={`${id}m`}>Material</label>
            <input id={`${id}m`} type="text" list={`${id}ml`} autocomplete="off" value={d.material} onInput={(event) => {
              const material = event.currentTarget.value
              const density = materials[material.toUpperCase()]
              set({ material, ...(density ? { density: String(density) } : {}) })
            }} />
            <datalist id={`${id}ml`}>{Object.keys(materials).map((name) => <option key={name} value={name} />)}</datalist>
          </div>
          <div class="field"><label for={`${id}c`}>Colour</label><input id={`${id}c`} type="color" class="colour" value={d.colour} onInput={(event) => set({ colour: event.currentTarget.value })} /></div>
          {field('weight', 'Filament when full', 'g')}
          {field('left', s ? 'Left now' : 'Left, if not full', 'g', s && s.left_g >= 0 ? `${Math.round(s.left_g)}` : dash)}
          {field('empty', 'Empty spool', 'g', dash)}
          {field('cost', 'Price', '', dash)}
          {field('diameter', 'Diameter', 'mm')}
          {field('density', 'Density', 'g/cm³')}
        </div>
        {d.empty.trim() !== '' && <p class="muted small">To find out what is left, weigh it and subtract {d.empty} g.</p>}
        <p class="problem" role="alert">{error && <><strong>{error.message}</strong> {error.next}</>}</p>
        <div class="sheet-actions">
          <button type="submit" class="btn primary" disabled={busy || !live.value || !edit || edit.name === ''}>{busy && <Spinner />} Save</button>
          {s && edit && <button type="button" class="btn" disabled={busy || !live.value} onClick={() => void save({ ...edit, archived: !s.archived })}>{s.archived ? 'Take out of the archive' : 'Archive'}</button>}
        </div>
      </form>
    </Sheet>
  )
}
