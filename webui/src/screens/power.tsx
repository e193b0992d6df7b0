// #/settings/power: what the printer's power and the lamp hang on, when the power goes off by itself, and the computer that layerd runs on.
import { useState } from 'preact/hooks'
import { useLoaded } from '../acting'
import { get } from '../api'
import { confirmed } from '../confirm'
import { whyNotOwner } from '../custom'
import { HoldButton } from '../parts/hold'
import { Icon, Spinner } from '../parts/icon'
import { Sheet } from '../parts/sheet'
import { digits, WayForm } from '../parts/wayform'
import { readPower, type Power } from '../power'
import { allowed, loadChoices, notify, perform, state } from '../state'
import { underWay } from '../words'

export function PowerPage() {
  const [all, again] = useLoaded<Power | null>(() => allowed('owner') ? get('/v1/power', readPower) : Promise.resolve(null))
  const why = whyNotOwner()
  if (!allowed('owner')) return <p class="why bar"><Icon name="lock" size={20} />Only an owner sees and changes this.</p>
  if (!all) return <p class="center muted"><Spinner /></p>
  const saved = () => {
    notify('good', 'Saved.')
    void again()
    void loadChoices()
  }
  return (
    <div class="custom">
      {why && <p class="why bar"><Icon name="lock" size={20} />{why}</p>}
      <div class="columns">
        <PowerForm key={JSON.stringify(all.settings)} all={all} disabled={why !== ''} onSaved={saved} />
        <div class="column">
          <WayForm key={JSON.stringify(all.lamp)} name="Lamp" way={all.lamp} hasPassword={all.lamp_has_password} all={all} usual={{ on_lines: 'M355 S1', off_lines: 'M355 S0' }} disabled={why !== ''}
            doing={(way) => way.kind === '' || way.kind === 'lines' ? { do: 'set_lamp', on_lines: way.kind && way.on_lines, off_lines: way.kind && way.off_lines } : { do: 'set_lamp', way }} onSaved={saved} />
          <Computer all={all} disabled={why !== ''} />
        </div>
      </div>
    </div>
  )
}

/** The power's switch with its rules, which are saved together. */
function PowerForm({ all, disabled, onSaved }: { all: Power; disabled: boolean; onSaved: () => void }) {
  const had = all.settings
  const [rules, setRules] = useState(had)
  const set = (change: Partial<typeof rules>) => setRules((r) => ({ ...r, ...change }))
  const check = (key: 'on_connect' | 'after_print' | 'after_cancelled' | 'cut_on_stop', label: string) => (
    <label class="check"><input type="checkbox" checked={rules[key]} disabled={disabled} onChange={(event) => set({ [key]: event.currentTarget.checked })} /><span>{label}</span></label>
  )
  return (
    <WayForm name="Power" way={had.power} hasPassword={all.has_password} all={all} usual={{ on_lines: 'M80', off_lines: 'M81' }} disabled={disabled} changed={JSON.stringify(rules) !== JSON.stringify(had)}
      doing={(power) => ({ do: 'set_power', power: { ...rules, power } })} onSaved={onSaved}>
      <h3>When</h3>
      {check('after_print', 'Off after each print, once all is cool')}
      {check('after_cancelled', 'Also after one that was stopped')}
      <div class="field">
        <label for="cool">Cool is a nozzle below, in °C</label>
        <input id="cool" type="text" inputMode="numeric" autocomplete="off" maxLength={3} value={rules.cool_c} disabled={disabled} onInput={(event) => set({ cool_c: digits(event.currentTarget.value) })} />
      </div>
      {check('on_connect', 'On before the printer is connected by hand')}
      {check('cut_on_stop', 'Emergency stop takes the power away, too')}
    </WayForm>
  )
}

const deeds = {
  reboot: { name: 'Restart the computer', ask: 'It is back in a minute or two. What is hot is switched off before.' },
  shutdown: { name: 'Shut it down', ask: 'It stays off until somebody takes its power away and gives it back. What is hot is switched off before.' },
  restart: { name: 'Restart layerd', ask: 'The page is back in a few seconds, after many restarts in a minute. What is hot is switched off before.' },
} as const

/** The computer that layerd runs on. What cannot be done from here is said, with the way by hand. */
function Computer({ all, disabled }: { all: Power; disabled: boolean }) {
  const [asked, setAsked] = useState<keyof typeof deeds | null>(null)
  const printing = state.value !== null && underWay(state.value)
  const act = async (deed: keyof typeof deeds) => {
    setAsked(null)
    const answer = await confirmed(() => perform('machine', { do: deed }, true))
    if (answer?.error) notify('error', answer.error.message, answer.error.next)
    else if (answer) notify('good', deed === 'shutdown' ? 'It shuts down.' : 'It restarts.')
  }
  const can = (['reboot', 'shutdown', 'restart'] as const).filter((deed) => all.machine[deed])
  return (
    <section class="card" aria-label="This computer">
      <h2>The computer that layerd runs on</h2>
      {can.length > 0 && <p class="muted">Hold a button for a second.</p>}
      <div class="stack">
        {can.map((deed) => <HoldButton key={deed} label={`${deeds[deed].name}: hold for one second`} disabled={disabled || printing} onHeld={() => void act(deed)} onTap={() => setAsked(deed)}>{deeds[deed].name}</HoldButton>)}
      </div>
      {printing && <p class="why"><Icon name="info" size={20} />Not while a print is under way.</p>}
      {(!all.machine.reboot || !all.machine.shutdown) && <p>layerd may not restart it or shut it down here. Log in to it and type <code>sudo reboot</code> or <code>sudo poweroff</code>; or allow it once with <code>sudo systemctl enable --now layerd-reboot.path layerd-poweroff.path</code>, where layerd was installed as a package.</p>}
      {asked && (
        <Sheet title={`${deeds[asked].name}?`} role="alertdialog" firm onClose={() => setAsked(null)}>
          <p>{deeds[asked].ask}</p>
          <div class="sheet-actions">
            <button type="button" class="btn danger solid" onClick={() => void act(asked)}>{deeds[asked].name}</button>
            <button type="button" class="btn" onClick={() => setAsked(null)}>Back</button>
          </div>
        </Sheet>
      )}
    </section>
  )
}
