// How one switch is reached: the printer itself, a GPIO line, or a plug; and a test, which asks and switches nothing.
import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import { useAct } from '../acting'
import { confirmed } from '../confirm'
import { kinds, onText, tryWay, type Power, type Tried, type Way } from '../power'
import { asking, perform } from '../state'
import type { ApiError, Doing } from '../wire'
import { Icon, Spinner } from './icon'
import { Problems } from './problems'

const kindNames: Record<Way['kind'], string> = {
  '': 'Nothing', lines: 'G-code, through the printer', gpio: 'A GPIO line of this computer', tasmota: 'A plug with Tasmota', shelly: 'A Shelly plug, first generation',
  shelly2: 'A Shelly plug, Plus or later', http: 'Two web addresses',
}

/** The number that somebody has typed; what is no digit does not count. */
export const digits = (text: string): number => Number(text.replace(/\D/g, ''))

interface WayFormProps {
  name: 'Power' | 'Lamp'
  way: Way
  hasPassword: boolean
  all: Power
  usual: { on_lines: string; off_lines: string } // lines for who has none yet
  disabled: boolean
  doing: (way: Way) => Doing
  onSaved: () => void
  changed?: boolean // something besides the way is
  children?: ComponentChildren
}

export function WayForm({ name, way: had, hasPassword, all, usual, disabled, doing, onSaved, changed = false, children }: WayFormProps) {
  const id = useId()
  const [way, setWay] = useState(had)
  const [error, setError] = useState<ApiError | null>(null)
  const [tried, setTried] = useState<Tried | null>(null)
  const { busy, error: testError, act } = useAct()
  const set = (change: Partial<Way>) => {
    setTried(null)
    setWay((w) => ({ ...w, ...change }))
  }
  const saving = asking(name) !== null
  const save = async () => {
    const answer = await confirmed(() => perform(name, doing(way), true))
    if (!answer) return
    setError(answer.error)
    if (!answer.error) onSaved()
  }
  const text = (key: 'address' | 'user' | 'on_url' | 'off_url' | 'state_url' | 'on_text', label: string, placeholder = '', about = '') => (
    <div class="field">
      <label for={id + key}>{label}</label>
      <input id={id + key} type="text" inputMode={/url|address/.test(key) ? 'url' : 'text'} autocomplete="off" autocapitalize="none" spellcheck={false} maxLength={300} placeholder={placeholder} value={way[key]} disabled={disabled} onInput={(event) => set({ [key]: event.currentTarget.value })} />
      {about && <small class="muted">{about}</small>}
    </div>
  )
  const number = (key: 'line' | 'channel', label: string, about: string) => (
    <div class="field">
      <label for={id + key}>{label}</label>
      <input id={id + key} type="text" inputMode="numeric" autocomplete="off" maxLength={4} value={way[key]} disabled={disabled} onInput={(event) => set({ [key]: digits(event.currentTarget.value) })} />
      <small class="muted">{about}</small>
    </div>
  )
  const lines = (key: 'on_lines' | 'off_lines', label: string) => {
    const problems = error?.problems.filter((p) => p.in === label) ?? []
    return (
      <div class="field">
        <label for={id + key}>{label}</label>
        <textarea id={id + key} class="mono" rows={2} spellcheck={false} autocapitalize="none" autocomplete="off" value={way[key]} disabled={disabled} aria-invalid={problems.length > 0} aria-describedby={`${id}${key}why`} onInput={(event) => set({ [key]: event.currentTarget.value })} />
        <Problems problems={problems} text={way[key]} id={`${id}${key}why`} />
      </div>
    )
  }
  const secret = (what: string) => (
    <div class="field">
      <label for={id + 'password'}>Password</label>
      <input id={id + 'password'} type="password" autocomplete="new-password" maxLength={300} placeholder={hasPassword ? 'as before' : ''} value={way.password} disabled={disabled} onInput={(event) => set({ password: event.currentTarget.value })} />
      <small class="muted">{what}</small>
    </div>
  )
  const plug = way.kind === 'tasmota' || way.kind === 'shelly' || way.kind === 'shelly2'
  return (
    <form class="card" aria-label={name} onSubmit={(event) => {
      event.preventDefault()
      void save()
    }}>
      <h2>{name === 'Power' ? "The printer's power" : 'Lamp'}</h2>
      <div class="field">
        <label for={id}>{name} is switched by</label>
        <select id={id} value={way.kind} disabled={disabled} onChange={(event) => {
          const kind = kinds.find((k) => k === event.currentTarget.value) ?? ''
          set({ kind, ...(kind === 'lines' && !way.on_lines && !way.off_lines ? usual : {}), ...(kind === 'gpio' && !way.chip && all.chips[0] ? { chip: all.chips[0].label } : {}) })
        }}>
          {kinds.map((kind) => <option key={kind} value={kind}>{kindNames[kind]}</option>)}
        </select>
      </div>
      {way.kind === 'lines' && <>{lines('on_lines', `${name} on`)}{lines('off_lines', `${name} off`)}</>}
      {way.kind === 'gpio' && (
        <>
          <div class="field">
            <label for={id + 'chip'}>Chip</label>
            <input id={id + 'chip'} type="text" list={id + 'chips'} autocomplete="off" autocapitalize="none" spellcheck={false} maxLength={64} placeholder="pinctrl-bcm2711" value={way.chip} disabled={disabled} onInput={(event) => set({ chip: event.currentTarget.value })} />
            <datalist id={id + 'chips'}>{all.chips.map((c) => <option key={c.name} value={c.label}>{c.name}, {c.lines} lines</option>)}</datalist>
            <small class="muted">{all.chips_problem || (all.chips.length > 0 ? `Here: ${all.chips.map((c) => c.label).join(', ')}` : 'This computer shows no GPIO chip.')}</small>
          </div>
          {number('line', 'Line', 'The number of the GPIO, not of the pin')}
          <label class="check"><input type="checkbox" checked={way.active_low} disabled={disabled} onChange={(event) => set({ active_low: event.currentTarget.checked })} /><span>On is low, as of most relay boards</span></label>
        </>
      )}
      {plug && <>{text('address', 'Address', 'http://192.168.1.7')}{number('channel', 'Output', way.kind === 'tasmota' ? '0 where the plug has one, else from 1' : '0 is the first')}</>}
      {way.kind === 'tasmota' && text('user', 'Name', 'admin', 'Only where the plug wants one')}
      {way.kind === 'shelly' && text('user', 'Name', '', 'Only where the plug wants one')}
      {plug && secret('It stays with this address, and is not shown again')}
      {way.kind === 'http' && (
        <>
          {text('on_url', 'Address for on', 'http://…')}
          {text('off_url', 'Address for off', 'http://…')}
          <label class="check"><input type="checkbox" checked={way.post} disabled={disabled} onChange={(event) => set({ post: event.currentTarget.checked })} /><span>They want POST</span></label>
          {text('state_url', 'Address to ask, if any', 'http://…')}
          {way.state_url && text('on_text', 'Its answer holds, while it is on', 'ON')}
          {text('user', 'Name')}
          {secret('Put no password into an address: addresses are shown')}
        </>
      )}
      {children}
      {tried && <p class={tried.problem ? 'why' : 'why good'} role="status"><Icon name={tried.problem ? 'warn' : 'check'} size={20} /><span class="wrap">{tried.problem || `It answers: ${onText({ on: tried.on, told: way.kind === 'lines' })}.`}{tried.said && <><br /><code>{tried.said}</code></>}</span></p>}
      {testError && <p class="problem" role="alert">{testError.message}</p>}
      <p class="problem" role="alert">{error && error.problems.length === 0 && `${error.message} ${error.next}`}</p>
      <div class="card-actions">
        <button type="submit" class="btn primary" disabled={disabled || saving || !changed && JSON.stringify(way) === JSON.stringify(had)}>{saving && <Spinner />} Save {name.toLowerCase()}</button>
        {way.kind !== '' && way.kind !== 'lines' && <button type="button" class="btn" disabled={disabled || busy} onClick={() => void act(() => tryWay(way)).then((answer) => setTried(answer))}>{busy && <Spinner />} Test</button>}
      </div>
    </form>
  )
}
