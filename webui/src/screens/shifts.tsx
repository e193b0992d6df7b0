// #/settings/shifts: whether prints are watched for layer shifts, by what, and what happens then.
import { useState } from 'preact/hooks'
import { guard, modes, type Guard } from '../guard'
import { DrillCard, ResultCard } from '../parts/guardcard'
import { CornersCard } from '../parts/guardcorners'
import { CameraChoice, ShareChoice, modeAbout, modeNames, set, wanted } from '../parts/guardchoice'
import { Witnesses } from '../parts/guardsheet'
import { RecordingsCard } from '../parts/recordings'
import { lacking } from '../parts/watchchoice'
import { running, SetupSheet } from '../parts/guardsetup'
import { Icon, Spinner } from '../parts/icon'
import { whyNotOwner } from '../custom'
import { asking, link, live, state } from '../state'
import { moment } from '../units'

export function ShiftsPage() {
  const g = guard.value
  const [setup, setSetup] = useState(false)
  if (!state.value) return <p class="center muted"><Spinner /></p>
  if (!g) return <section class="card center"><p>This layerd does not watch prints for layer shifts.</p></section>
  const why = whyNotOwner()
  return (
    <div class="custom">
      {why && <p class="why bar"><Icon name="lock" size={20} />{why}</p>}
      {g.notice && <p class="why bar"><Icon name="info" size={20} />{g.notice}</p>}
      <div class="columns">
        <div class="column">
          <Can g={g} disabled={why !== ''} onSetup={() => setSetup(true)} />
          {g.card && <DrillCard g={g} />}
        </div>
        <div class="column">
          <Then g={g} disabled={why !== ''} />
          <CornersCard g={g} disabled={why !== ''} />
          <RecordingsCard g={g} disabled={why !== ''} />
        </div>
      </div>
      {setup && <SetupSheet g={g} onClose={() => setSetup(false)} />}
    </div>
  )
}

/** What can be noticed on this printer. */
function Can({ g, disabled, onSetup }: { g: Guard; disabled: boolean; onSetup: () => void }) {
  const busy = running(g.setup)
  const lacks = lacking(g)
  return (
    <section class="card" aria-label="What can be noticed">
      <h2>{g.card ? 'What it can notice' : 'Notice layer shifts'}</h2>
      {g.card
        ? <><ResultCard card={g.card} /><p class="muted small num">Found out {moment(g.card.made_ms, link.clock.now())}. Set it up again when the camera, the belts or the switches were changed.</p></>
        : <p>A hit or a hot motor can make the printer lose its place: all that follows is printed beside the part. layerd can look for that while it prints, by the endstops of X and Y, by the camera, and by what the printer says. It has to learn this printer first.</p>}
      {lacks && <p class="why bar" data-testid="lacks"><Icon name="warn" size={20} /><span class="wrap">{lacks}</span></p>}
      {g.setup?.step === 'failed' && <p class="why" role="status"><Icon name="warn" size={18} /><span class="wrap">The last set-up did not finish: {g.setup.why}</span></p>}
      {!g.card && <Witnesses g={g} />}
      <div class="card-actions">
        <button type="button" class={`btn${g.card && !lacks ? '' : ' primary'}`} disabled={disabled} aria-haspopup="dialog" onClick={onSetup}>{busy ? <><Spinner /> Show the set-up</> : <><Icon name="play" size={20} /> {g.card ? 'Set up again' : 'Set up'}</>}</button>
      </div>
    </section>
  )
}

/** What happens at a layer shift. */
function Then({ g, disabled }: { g: Guard; disabled: boolean }) {
  const now = wanted(g)
  const busy = asking('guard') !== null
  const off = disabled || busy || !live.value
  return (
    <section class="card" aria-label="When the layers shift">
      <div class="card-head"><h2>When the layers shift</h2>{busy && <Spinner />}</div>
      <div class="segments" role="group" aria-label="When the layers shift">
        {modes.map((mode) => <button key={mode} type="button" aria-pressed={now.mode === mode} disabled={off} onClick={() => set(g, { mode })}>{modeNames[mode]}</button>)}
      </div>
      <p class="muted small">{modeAbout[now.mode]}</p>
      {now.mode !== 'off' && !g.card && <p class="why"><Icon name="warn" size={18} />Nothing is watched before the set-up is made.</p>}
      <CameraChoice g={g} disabled={off} />
      <ShareChoice g={g} disabled={off} />
      {g.card && g.card.camera >= 0 && now.camera !== g.card.camera && now.camera >= 0 && <p class="why"><Icon name="warn" size={18} />The set-up was made with another camera. Make it again, so that this one can watch.</p>}
    </section>
  )
}
