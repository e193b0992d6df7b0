// The machine's profile: a preset, and every value of it with its unit. Nothing is sent before Save.
import { useEffect, useRef, useState } from 'preact/hooks'
import { asking, notify, perform } from '../state'
import { typed } from '../units'
import type { Profile } from '../wire'
import { Icon, Spinner } from './icon'

type NumberKey = { [K in keyof Profile]: Profile[K] extends number ? K : never }[keyof Profile]

const groups: readonly { title: string; fields: readonly { key: NumberKey; name: string; unit: string }[] }[] = [
  { title: 'Size', fields: [
    { key: 'width_mm', name: 'Width, X', unit: 'mm' }, { key: 'depth_mm', name: 'Depth, Y', unit: 'mm' }, { key: 'height_mm', name: 'Height, Z', unit: 'mm' },
  ] },
  { title: 'Tools and nozzle', fields: [
    { key: 'nozzles', name: 'Tools', unit: '' }, { key: 'nozzle_mm', name: 'Diameter', unit: 'mm' }, { key: 'max_nozzle_c', name: 'Hottest nozzle', unit: '°C' }, { key: 'min_extrude_c', name: 'Extrude from', unit: '°C' },
  ] },
  { title: 'Bed and chamber', fields: [
    { key: 'max_bed_c', name: 'Hottest bed', unit: '°C' }, { key: 'max_chamber_c', name: 'Hottest chamber', unit: '°C' },
  ] },
  { title: 'Parking while paused', fields: [
    { key: 'park_x_mm', name: 'Park at X', unit: 'mm' }, { key: 'park_y_mm', name: 'Park at Y', unit: 'mm' }, { key: 'lift_mm', name: 'Lift by', unit: 'mm' }, { key: 'retract_mm', name: 'Retract by', unit: 'mm' },
  ] },
  { title: 'Speeds by hand', fields: [
    { key: 'travel_mm_s', name: 'X and Y', unit: 'mm/s' }, { key: 'lift_mm_s', name: 'Z', unit: 'mm/s' }, { key: 'extrude_mm_s', name: 'Filament', unit: 'mm/s' },
  ] },
]
const numberKeys = groups.flatMap((group) => group.fields.map((field) => field.key))

const kinds = [{ value: 'cartesian', name: 'Cartesian' }, { value: 'corexy', name: 'CoreXY' }, { value: 'delta', name: 'Delta' }] as const

interface ProfileProps {
  profile: Profile
  presets: readonly Profile[]
  enabled: boolean
  printing: boolean
}

/** The form's texts; numbers stay text until they are saved, so that half-typed ones survive. */
type Draft = Omit<Profile, NumberKey | 'tools'> & Record<NumberKey, string> & { tools: readonly Offset[] }
type Offset = { x_mm: string; y_mm: string }

function draftOf(profile: Profile): Draft {
  const texts = Object.fromEntries(numberKeys.map((key) => [key, String(profile[key])])) as Record<NumberKey, string>
  return { ...profile, ...texts, tools: profile.tools.map((t) => ({ x_mm: String(t.x_mm), y_mm: String(t.y_mm) })) }
}

const maxTools = 16

/** Where each tool's nozzle stands, as far as that can be told: none where there is one nozzle. */
function offsetsOf(draft: Draft): Offset[] {
  const count = typed(draft.nozzles)
  if (draft.shared_nozzle || !(count > 1 && count <= maxTools)) return []
  return Array.from({ length: Math.floor(count) }, (_, tool) => draft.tools[tool] ?? { x_mm: '0', y_mm: '0' })
}

/** The profile that the form means, or null while a number in it is none. */
export function profileOf(draft: Draft): Profile | null {
  const numbers = Object.fromEntries(numberKeys.map((key) => [key, typed(draft[key])])) as Record<NumberKey, number>
  const tools = offsetsOf(draft).map((t) => ({ x_mm: typed(t.x_mm), y_mm: typed(t.y_mm) }))
  if (Object.values(numbers).some(Number.isNaN) || tools.some((t) => Number.isNaN(t.x_mm) || Number.isNaN(t.y_mm))) return null
  const shared_nozzle = numbers.nozzles > 1 && draft.shared_nozzle
  return { ...draft, ...numbers, tools, shared_nozzle, mixing: shared_nozzle && draft.mixing }
}

export function ProfileForm({ profile, presets, enabled, printing }: ProfileProps) {
  const saved = JSON.stringify(profileOf(draftOf(profile)) ?? profile)
  const [draft, setDraft] = useState(() => draftOf(profile))
  const [base, setBase] = useState(saved)
  const sent = useRef('') // what was saved here last: layerd may have made it tidier
  const meant = profileOf(draft)
  const dirty = JSON.stringify(meant) !== saved
  // Another phone saved a profile: take it, unless something is being edited here.
  useEffect(() => {
    if (saved === base) return
    setBase(saved)
    const now = JSON.stringify(meant)
    if (now === base || now === sent.current) setDraft(draftOf(profile))
  }, [saved])

  const set = (change: Partial<Draft>) => setDraft((had) => ({ ...had, ...change }))
  const disabled = !enabled || printing
  const busy = asking('profile') !== null
  const save = async () => {
    if (!meant) return
    sent.current = JSON.stringify(meant)
    const answer = await perform('profile', { do: 'set_profile', profile: meant })
    if (!answer.error) notify('good', 'The profile is saved.')
  }
  return (
    <form class="card profile" aria-label="Printer profile" onSubmit={(event) => {
      event.preventDefault()
      void save()
    }}>
      <h2>Printer profile</h2>
      {printing && <p class="why"><Icon name="info" size={20} />Not while a print is under way.</p>}
      <div class="field">
        <label for="preset">Start from</label>
        <select id="preset" value="" disabled={disabled || presets.length === 0} onChange={(event) => {
          const preset = presets.find((p) => p.name === event.currentTarget.value)
          if (preset) setDraft(draftOf(preset))
          event.currentTarget.value = ''
        }}>
          <option value="">Choose a preset…</option>
          {presets.map((p) => <option key={p.name} value={p.name}>{p.name}</option>)}
        </select>
      </div>
      <div class="field">
        <label for="profile-name">Name</label>
        <input id="profile-name" type="text" maxLength={80} autocomplete="off" value={draft.name} disabled={disabled} onInput={(event) => set({ name: event.currentTarget.value })} />
      </div>
      <div class="field-grid">
        <div class="field">
          <label for="bed-shape">Bed</label>
          <select id="bed-shape" value={draft.bed} disabled={disabled} onChange={(event) => set({ bed: event.currentTarget.value === 'circle' ? 'circle' : 'rectangle' })}>
            <option value="rectangle">Rectangle</option><option value="circle">Circle</option>
          </select>
        </div>
        <div class="field">
          <label for="origin">X0 Y0 is at</label>
          <select id="origin" value={draft.origin} disabled={disabled} onChange={(event) => set({ origin: event.currentTarget.value === 'center' ? 'center' : 'corner' })}>
            <option value="corner">Front left corner</option><option value="center">Center</option>
          </select>
        </div>
      </div>
      <div class="field">
        <label for="kinematics">Kinematics</label>
        <select id="kinematics" value={draft.kinematics} disabled={disabled} onChange={(event) => set({ kinematics: kinds.find((k) => k.value === event.currentTarget.value)?.value ?? 'cartesian' })}>
          {kinds.map((k) => <option key={k.value} value={k.value}>{k.name}</option>)}
        </select>
      </div>
      <label class="check"><input type="checkbox" checked={draft.heated_bed} disabled={disabled} onChange={(event) => set({ heated_bed: event.currentTarget.checked })} /><span>Heated bed</span></label>
      <label class="check"><input type="checkbox" checked={draft.heated_chamber} disabled={disabled} onChange={(event) => set({ heated_chamber: event.currentTarget.checked })} /><span>Heated chamber</span></label>
      {groups.map((group) => (
        <fieldset key={group.title}>
          <legend>{group.title}</legend>
          <div class="field-grid">
            {group.fields.map((field) => (
              <div key={field.key} class="field">
                <label for={field.key}>{field.name}</label>
                <div class="with-unit">
                  <input id={field.key} type="text" inputMode="decimal" autocomplete="off" value={draft[field.key]} disabled={disabled} aria-invalid={Number.isNaN(typed(draft[field.key]))}
                    onInput={(event) => set({ [field.key]: event.currentTarget.value })} />
                  {field.unit && <span>{field.unit}</span>}
                </div>
              </div>
            ))}
          </div>
          {group.fields.some((field) => field.key === 'nozzles') && <Tools draft={draft} disabled={disabled} set={set} />}
        </fieldset>
      ))}
      <div class="card-actions">
        <button type="submit" class="btn primary" disabled={disabled || busy || !dirty || !meant}>{busy && <Spinner />} Save profile</button>
        {dirty && <button type="button" class="btn" onClick={() => setDraft(draftOf(profile))}>Undo</button>}
      </div>
    </form>
  )
}

/** What several tools have together, and where each stands. */
function Tools({ draft, disabled, set }: { draft: Draft; disabled: boolean; set: (change: Partial<Draft>) => void }) {
  if (!(typed(draft.nozzles) > 1)) return null
  const offsets = offsetsOf(draft)
  const put = (tool: number, change: Partial<Offset>) => set({ tools: offsets.map((t, i) => (i === tool ? { ...t, ...change } : t)) })
  return (
    <>
      <label class="check"><input type="checkbox" checked={draft.shared_nozzle} disabled={disabled} onChange={(event) => set({ shared_nozzle: event.currentTarget.checked, mixing: false })} /><span>They share one nozzle</span></label>
      {draft.shared_nozzle && <label class="check"><input type="checkbox" checked={draft.mixing} disabled={disabled} onChange={(event) => set({ mixing: event.currentTarget.checked })} /><span>… which mixes their filaments</span></label>}
      {offsets.length > 0 && (
        <div class="field-grid">
          {offsets.flatMap((offset, tool) => (tool === 0 ? [] : (['x_mm', 'y_mm'] as const).map((key) => (
            <div key={`${tool}${key}`} class="field">
              <label for={`tool${tool}${key}`}>Tool {tool + 1}, {key === 'x_mm' ? 'X' : 'Y'} from tool 1</label>
              <div class="with-unit">
                <input id={`tool${tool}${key}`} type="text" inputMode="text" autocomplete="off" value={offset[key]} disabled={disabled} aria-invalid={Number.isNaN(typed(offset[key]))}
                  onInput={(event) => put(tool, { [key]: event.currentTarget.value })} />
                <span>mm</span>
              </div>
            </div>
          ))))}
        </div>
      )}
    </>
  )
}
