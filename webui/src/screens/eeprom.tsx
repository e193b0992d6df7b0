// #/settings/eeprom: the printer's own settings, which it keeps when it is switched off. Before each change layerd keeps a copy.
import { useEffect, useId, useState } from 'preact/hooks'
import { changedLine, copyURL, dropCopy, getCopies, getEEPROM, grouped, type Copy, type EEPROM, type Setting } from '../eeprom'
import { Icon, Spinner } from '../parts/icon'
import { Sheet } from '../parts/sheet'
import { allowed, asking, complain, link, live, notify, perform, state } from '../state'
import { moment } from '../units'
import { whyNot } from '../words'
import type { Answer, Doing } from '../wire'

export function EEPROMPage() {
  const [eeprom, setEEPROM] = useState<EEPROM | null>(null)
  const [copies, setCopies] = useState<Copy[]>([])
  const [reading, setReading] = useState(false)
  const [open, setOpen] = useState<Setting | null>(null)
  const [changed, setChanged] = useState(false)
  const s = state.value
  const owner = allowed('owner')
  const why = !owner ? 'Only an owner may see and change what the printer keeps.' : whyNot(s, live.value, allowed, 'idle')
    || (s && s.state !== 'idle' ? 'Not while a print is under way.' : '')
  const loadCopies = () => getCopies().then(setCopies, complain)
  const read = () => {
    setReading(true)
    return getEEPROM().then(setEEPROM, complain).finally(() => setReading(false))
  }
  useEffect(() => {
    if (owner && live.value) void loadCopies()
    if (why === '') void read()
  }, [why === ''])

  /** Does something to the settings, and shows what they are then. */
  const act = (doing: Doing, good: string, saved: boolean): Promise<Answer> => perform('eeprom', doing).then((answer) => {
    if (!answer.error) {
      notify('good', good)
      setChanged(!saved)
    }
    void read()
    void loadCopies()
    return answer
  })
  const busy = reading || asking('eeprom') !== null
  return (
    <>
      {why && <p class="why bar" role="status"><Icon name="info" size={20} />{why}</p>}
      {changed && <p class="why bar" role="status"><Icon name="info" size={20} />Changed until the printer is switched off. Save to keep it.</p>}
      <div class="button-row">
        <button type="button" class="btn" disabled={why !== '' || busy} onClick={() => void read()}>{reading ? <Spinner /> : <Icon name="download" />} Read again</button>
        <button type="button" class={changed ? 'btn primary' : 'btn'} disabled={why !== '' || busy || !eeprom} onClick={() => void act({ do: 'save_settings' }, 'The printer has saved its settings.', true)}><Icon name="check" /> Save</button>
      </div>
      <p class="muted small">Save keeps all that is set in the printer now, also what the last file has set (M201, M204, M900).</p>
      <div class="columns">
        {eeprom && <section class="card" aria-label="Settings of the printer">
          {grouped(eeprom.settings.filter((each) => each.changeable)).map((group) => <Group key={group.name} {...group} disabled={why !== '' || busy} onOpen={setOpen} />)}
          <details>
            <summary>What cannot be changed here</summary>
            {grouped(eeprom.settings.filter((each) => !each.changeable)).map((group) => <Group key={group.name} {...group} disabled onOpen={setOpen} />)}
          </details>
        </section>}
        {!eeprom && reading && <section class="card center"><Spinner /></section>}
        {owner && <Copies copies={copies} disabled={why !== '' || busy} onRestore={(copy) => act({ do: 'restore_settings', copy: copy.id }, 'The copy was sent to the printer and saved.', true)} onChanged={() => void loadCopies()} />}
      </div>
      {open && <ChangeSheet setting={open} busy={busy} onClose={() => setOpen(null)} onSet={(line) => void act({ do: 'change_setting', line }, 'The printer has taken it.', false).then((answer) => {
        if (!answer.error) setOpen(null)
      })} />}
    </>
  )
}

interface GroupProps {
  name: string
  settings: readonly Setting[]
  disabled: boolean
  onOpen: (setting: Setting) => void
}

/** The printer's own words are shown where they tell one line from another. */
function Group({ name, settings, disabled, onOpen }: GroupProps) {
  const differ = new Set(settings.map(({ note }) => note)).size > 1
  return (
    <div class="settings-group">
      <h3>{name}</h3>
      {settings.map((setting, i) => <Line key={i} setting={setting} note={differ && setting.command !== ''} disabled={disabled} onOpen={() => onOpen(setting)} />)}
    </div>
  )
}

function Line({ setting, note, disabled, onOpen }: { setting: Setting; note: boolean; disabled: boolean; onOpen: () => void }) {
  const text = (
    <span class="setting-words">
      {note && setting.note && <small class="muted">{setting.note}</small>}
      <code>{setting.text}</code>
    </span>
  )
  if (!setting.changeable) return <p class="setting">{text}</p>
  return <button type="button" class="setting" disabled={disabled} aria-haspopup="dialog" aria-label={`Change ${setting.name || setting.command}: ${setting.text}`} onClick={onOpen}>{text}<Icon name="edit" size={20} /></button>
}

function ChangeSheet({ setting, busy, onClose, onSet }: { setting: Setting; busy: boolean; onClose: () => void; onSet: (line: string) => void }) {
  const id = useId()
  const [texts, setTexts] = useState(setting.words.map(({ value }) => String(value)))
  const line = changedLine(setting, texts)
  const same = line === changedLine(setting, [])
  return (
    <Sheet title={setting.name || setting.command} onClose={onClose}>
      {setting.note && <p class="muted small">{setting.note}</p>}
      <form onSubmit={(event) => {
        event.preventDefault()
        if (line && !same) onSet(line)
      }}>
        <div class="field-grid">
          {setting.words.map(({ letter }, i) => (
            <div key={letter} class="field">
              <label for={`${id}${letter}`}>{letter}</label>
              <input id={`${id}${letter}`} type="text" inputMode="decimal" autocomplete="off" value={texts[i]} aria-invalid={changedLine(setting, texts.map((t, j) => (i === j ? t : ''))) === ''}
                onInput={(event) => setTexts(texts.map((t, j) => (i === j ? event.currentTarget.value : t)))} />
            </div>
          ))}
        </div>
        <p class="muted small">{line ? <>Will be sent: <code>{line}</code></> : <span class="problem">One of these is not a number.</span>}</p>
        <div class="sheet-actions">
          <button type="submit" class="btn primary" disabled={busy || !line || same}>{busy && <Spinner />} Change</button>
          <button type="button" class="btn" onClick={onClose}>Back</button>
        </div>
      </form>
    </Sheet>
  )
}

interface CopiesProps {
  copies: readonly Copy[]
  disabled: boolean
  onRestore: (copy: Copy) => Promise<Answer>
  onChanged: () => void
}

function Copies({ copies, disabled, onRestore, onChanged }: CopiesProps) {
  const [asked, setAsked] = useState<{ copy: Copy; to: 'restore' | 'delete' } | null>(null)
  const close = () => setAsked(null)
  return (
    <section class="card" aria-label="Copies">
      <h2>Copies</h2>
      <p class="muted">Kept by layerd before each change, the newest first, at most 50.</p>
      {copies.length === 0 && <p>None yet.</p>}
      <ul class="setting-copies">
        {copies.map((copy) => (
          <li key={copy.id}>
            <span><strong class="num">{moment(copy.at_ms, link.clock.now())}</strong><small class="muted wrap">{copy.why} · {copy.lines} lines</small></span>
            <a class="icon-button" href={copyURL(copy.id)} download={`printer-settings-${copy.id}.txt`} aria-label={`Download copy ${copy.id}`}><Icon name="download" size={20} /></a>
            <button type="button" class="icon-button" disabled={disabled} aria-label={`Restore copy ${copy.id}`} onClick={() => setAsked({ copy, to: 'restore' })}><Icon name="upload" size={20} /></button>
            <button type="button" class="icon-button" aria-label={`Delete copy ${copy.id}`} onClick={() => setAsked({ copy, to: 'delete' })}><Icon name="trash" size={20} /></button>
          </li>
        ))}
      </ul>
      {asked?.to === 'restore' && (
        <Sheet title="Restore this copy?" role="alertdialog" firm onClose={close}>
          <p>Its lines that can be changed are sent to the printer and saved. What the printer has now is kept as another copy first.</p>
          <div class="sheet-actions">
            <button type="button" class="btn primary" onClick={() => void onRestore(asked.copy).then(close)}>Restore</button>
            <button type="button" class="btn" onClick={close}>Back</button>
          </div>
        </Sheet>
      )}
      {asked?.to === 'delete' && (
        <Sheet title="Delete this copy?" role="alertdialog" firm onClose={close}>
          <p>The printer's settings stay as they are.</p>
          <div class="sheet-actions">
            <button type="button" class="btn danger solid" onClick={() => void dropCopy(asked.copy.id).then(onChanged, complain).then(close)}>Delete</button>
            <button type="button" class="btn" onClick={close}>Keep it</button>
          </div>
        </Sheet>
      )}
    </section>
  )
}
