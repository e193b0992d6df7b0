// The set-up of the guard: what will happen, that the bed is empty, how far it is, and what came of it.
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Guard, Setup } from '../guard'
import { allowed, asking, live, perform, state } from '../state'
import { whyNot } from '../words'
import type { State } from '../wire'
import { Picture } from './camera'
import { CameraChoice, usable, wanted } from './guardchoice'
import { ResultCard } from './guardcard'
import { Icon, Spinner } from './icon'
import { Sheet } from './sheet'


const steps: readonly { step: string; name: string }[] = [
  { step: 'home', name: 'Homing all axes' },
  { step: 'pictures', name: 'Moving head and bed a little, and taking pictures' },
  { step: 'switches', name: 'Trying the endstops of X and Y' },
]

/** A set-up that has not ended. */
export const running = (setup: Setup | null): setup is Setup => setup !== null && steps.some(({ step }) => step === setup.step)

export function SetupSheet({ g, onClose }: { g: Guard; onClose: () => void }) {
  const [again, setAgain] = useState(true) // what an earlier set-up came to is no news
  const runs = running(g.setup)
  const ran = useRef(runs)
  useEffect(() => {
    if (!runs) return
    ran.current = true
    setAgain(false)
  }, [runs])
  const s = state.value
  if (!s) return null
  if (g.setup && runs) return <Running setup={g.setup} onClose={onClose} />
  if (!again && g.setup?.step === 'failed') return <Failed why={g.setup.why} onAgain={() => setAgain(true)} onClose={onClose} />
  if (!again && ran.current && g.card) return <Done g={g} onClose={onClose} />
  return <Intro s={s} g={g} onClose={onClose} />
}

function Intro({ s, g, onClose }: { s: State; g: Guard; onClose: () => void }) {
  const cameras = usable(s)
  const now = wanted(g)
  const [empty, setEmpty] = useState(false)
  const busy = asking('setup') !== null || asking('guard') !== null
  const why = whyNot(s, live.value, allowed, 'idle')
  const seen = cameras.find((c) => c.id === now.camera)
  return (
    <Sheet title="Set up the watch" onClose={onClose} firm>
      <p>layerd finds out how small a layer shift it can notice on this printer. It takes about two minutes; nothing is heated.</p>
      <ol class="plain-steps">
        <li>All axes are homed, and the head goes up.</li>
        {seen && <li>Head and bed move by up to 1 cm, and the head by 4 cm up and down, while the camera looks.</li>}
        <li>The head touches the endstops of X and Y about ten times.</li>
      </ol>
      {seen && <div class="bed-picture"><Picture key={seen.id} status={seen} live={live.value} /></div>}
      <CameraChoice g={g} disabled={why !== '' || busy} />
      {cameras.length === 0 && <p class="why"><Icon name="camera" size={18} />There is no camera: the endstops watch alone.</p>}
      <label class="check"><input type="checkbox" checked={empty} onChange={(event) => setEmpty(event.currentTarget.checked)} /><span>The bed is empty, and nothing is in the way</span></label>
      <div class="sheet-actions">
        <button type="button" class="btn primary big" disabled={why !== '' || !empty || busy} onClick={() => void perform('setup', { do: 'guard_setup', empty })}>{busy ? <Spinner /> : <Icon name="play" />} Start the set-up</button>
        <button type="button" class="btn" onClick={onClose}>Not now</button>
        {why && <p class="why"><Icon name="info" size={18} />{why}</p>}
      </div>
    </Sheet>
  )
}

function Running({ setup, onClose }: { setup: Setup; onClose: () => void }) {
  const at = steps.findIndex(({ step }) => step === setup.step)
  const busy = asking('setup') !== null
  return (
    <Sheet title="Setting up the watch" onClose={onClose} firm>
      <p role="status">The printer moves. Keep your hands out of it.</p>
      <progress max={100} value={setup.percent} aria-label="Set-up" aria-valuetext={`${Math.round(setup.percent)} percent`} />
      <ol class="setup-steps">
        {steps.map(({ step, name }, i) => (
          <li key={step} class={i < at ? 'done' : i === at ? 'now' : ''} aria-current={i === at ? 'step' : undefined}>
            {i < at ? <Icon name="check" size={20} /> : i === at ? <Spinner /> : <span class="dot" aria-hidden="true" />}<span>{name}</span>
          </li>
        ))}
      </ol>
      <div class="sheet-actions">
        <button type="button" class="btn" disabled={!live.value || busy} onClick={() => void perform('setup', { do: 'guard_cancel' })}>{busy ? <Spinner /> : <Icon name="stop" size={20} />} Stop the set-up</button>
      </div>
      <p class="muted small">You may close this page: the set-up goes on.</p>
    </Sheet>
  )
}

function Failed({ why, onAgain, onClose }: { why: string; onAgain: () => void; onClose: () => void }) {
  return (
    <Sheet title="The set-up did not finish" onClose={onClose}>
      <p class="why bar" role="alert"><Icon name="warn" size={20} /><span class="wrap">{why || 'layerd did not say why.'}</span></p>
      <div class="sheet-actions">
        <button type="button" class="btn primary" onClick={onAgain}>Try again</button>
        <button type="button" class="btn" onClick={onClose}>Close</button>
      </div>
    </Sheet>
  )
}

function Done({ g, onClose }: { g: Guard; onClose: () => void }) {
  return (
    <Sheet title="This is what it can notice" onClose={onClose}>
      {g.card && <ResultCard card={g.card} />}
      <p class="muted">Next: see by a fire drill what would happen, and choose whether prints pause.{g.bed_ms > 0 && g.card && g.card.camera >= 0 && ' Show it the corners of the bed, too, while the picture is fresh: then it looks at the print as well.'}</p>
      <div class="sheet-actions"><button type="button" class="btn primary" onClick={onClose}>Go on</button></div>
    </Sheet>
  )
}
