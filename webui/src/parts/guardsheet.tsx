// What watches this print: the three witnesses in plain words, the last layers, and a check at once.
import type { ComponentChildren } from 'preact'
import { saidAt, seesText, witnessText, type Guard, type Witness } from '../guard'
import { routeHash } from '../route'
import { allowed, asking, link, live, notify, perform, state } from '../state'
import type { Job } from '../wire'
import { Layers } from './alarm'
import { modeAbout } from './guardchoice'
import { Icon, Spinner, type IconName } from './icon'
import { May } from './may'
import { Sheet } from './sheet'

export function WatchSheet({ g, job, onClose }: { g: Guard; job: Job; onClose: () => void }) {
  return (
    <Sheet title={g.mode === 'off' ? 'This print is not watched' : 'Watching this print'} onClose={onClose}>
      <p class="muted">{modeAbout[g.mode]}</p>
      {g.notice && <p class="why bar"><Icon name="info" size={20} />{g.notice}</p>}
      <Witnesses g={g} />
      <May><CheckNow g={g} job={job} /></May>
      <Layers job={job.id} />
      <May role="owner"><a class="btn quiet" href={routeHash('settings', 'shifts')} onClick={onClose}><Icon name="settings" size={20} /> {g.card ? 'Change how prints are watched' : 'Set it up'}</a></May>
    </Sheet>
  )
}

export function Witnesses({ g }: { g: Guard }) {
  const sees = seesText(g.camera.detects_x_mm, g.camera.detects_y_mm)
  const finds = seesText(g.endstops.detects_x_mm, g.endstops.detects_y_mm)
  return (
    <ul class="witness-list" aria-label="What watches">
      <One icon="home" name="Endstops" w={g.endstops} ready={`Asked between layers, and in long ones${finds && `; find ${finds} or more`}`} />
      <One icon="camera" name="Camera" w={g.camera} ready={sees ? `Sees ${sees} or more` : 'Looks after each layer'} />
      {g.corners && <One icon="layers" name="The print's outline" w={g.outline} ready="Are its newest layers above the older ones?" />}
      <One icon="part" name="The printer's electronics" w={g.card || g.firmware.status !== 'off' ? g.firmware : { ...g.firmware, status: 'unset' }} ready="Heard when they report a hit or a hot motor" />
    </ul>
  )
}

function One({ icon, name, w, ready }: { icon: IconName; name: string; w: Witness; ready: string }) {
  const { text, tone } = witnessText(w, ready)
  const at = saidAt(w.at_ms, link.clock.now())
  return (
    <li>
      <Icon name={icon} size={22} />
      <div>
        <strong>{name}</strong>
        <span class={`witness-state tone-${tone}`}><span class="dot" aria-hidden="true" /><span>{text}</span></span>
        {w.said && <Said at={at}>{w.said}</Said>}
      </div>
    </li>
  )
}

function Said({ at, children }: { at: string; children: ComponentChildren }) {
  return <span class="muted small wrap num">{at && `${at}: `}{children}</span>
}

/** Asks for a check at the end of this layer, or in its infill. */
function CheckNow({ g, job }: { g: Guard; job: Job }) {
  const busy = asking('check') !== null
  const ready = g.endstops.status === 'ready' || g.endstops.status === 'blind' // the last one could not be made: this one may
  const printing = state.value?.state === 'printing'
  const why = !ready ? 'The endstops cannot be asked on this printer now.' : !printing ? 'A check is made while the printer prints.' : ''
  const check = async () => {
    const answer = await perform('check', { do: 'guard_check', job: job.id })
    if (!answer.error) notify('good', 'It is checked at the end of this layer, or sooner.')
  }
  return (
    <div class="sheet-actions">
      <button type="button" class="btn" disabled={!live.value || !allowed('operator') || busy || why !== ''} onClick={() => void check()}>{busy ? <Spinner /> : <Icon name="check" size={20} />} Check now</button>
      <p class="why"><Icon name="info" size={18} />{why || `The head goes to its endstops at the end of this layer, or sooner in its infill${g.card && g.card.check_s > 0 ? `, for about ${Math.round(g.card.check_s)} s` : ''}.`}</p>
    </div>
  )
}
