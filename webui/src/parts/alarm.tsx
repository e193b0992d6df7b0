// A shift was found: the card on the Print screen that nobody can miss, and the sheet with the evidence and what can be done. Whatever moves the machine
// is asked once.
import { useState } from 'preact/hooks'
import { checkText, falseAlarm, guard, rehomeAndResume, saidAt, spoiledText, unproven, witnessNames, type Alarm } from '../guard'
import { allowed, asking, guardSheet, link, live, perform, state } from '../state'
import { clock } from '../units'
import type { State } from '../wire'
import { Blink } from './blink'
import { Icon, Spinner } from './icon'
import { May } from './may'
import { Sheet } from './sheet'
import { Timeline } from './timeline'

/** What it is, in two words or three. */
export const alarmName = ({ part }: Pick<Alarm, 'part'>): string => (part ? 'The part may have moved' : 'Layer shift')

export function AlarmCard({ s, alarm }: { s: State; alarm: Alarm }) {
  const { rehoming: r } = alarm
  return (
    <section class="card alarm layer-shift" role="alert" aria-label={alarmName(alarm)} data-testid="alarm">
      <h2><Icon name="warn" /> {alarm.sentence}</h2>
      <p>{stands(s, alarm)}</p>
      {r && <Rehoming alarm={alarm} />}
      <button type="button" class="btn primary big" aria-haspopup="dialog" onClick={() => (guardSheet.value = 'alarm')}>
        <Icon name="search" /> {alarm.pictures ? 'See the pictures and decide' : 'See what was found, and decide'}
      </button>
      <p class="muted small num">Found at {clock(alarm.at_ms)}, layer {alarm.layer}</p>
    </section>
  )
}

/** What the printer does meanwhile. */
export function stands({ state: now }: Pick<State, 'state'>, { paused, confirmed, part }: Pick<Alarm, 'paused' | 'confirmed' | 'part'>): string {
  const sure = confirmed || part ? '' : ' The endstops have not confirmed it.'
  if (now === 'paused') return `The print stands still, and the bed stays warm.${sure}`
  if (now === 'pausing') return `The print is being paused.${sure}`
  return paused ? `The print goes on.${sure}` : `The print goes on, because it was set to tell only.${sure}`
}

/** How far the re-homing is, or why it came to nothing. */
function Rehoming({ alarm: { rehoming: r } }: { alarm: Alarm }) {
  if (!r) return null
  if (r.running) return <p class="waits" role="status"><Spinner /> <span><strong>Re-homing X and Y</strong>, then two checks at the endstops. Keep your hands out of the printer.</span></p>
  if (r.ok) return <p class="waits good" role="status"><Icon name="check" size={20} /><span>X and Y are where they should be again: two checks agree.</span></p>
  return <p class="waits problem" role="status"><Icon name="warn" size={20} /><span><strong>Re-homing did not work.</strong> {r.reason || 'The printer did not say why.'} Nobody knows now that the head is where it should be. The print still stands: try again, or stop it.</span></p>
}

type Asked = '' | 'resume' | 'rehome' | 'cancel' | 'false'

export function AlarmSheet({ alarm, onClose }: { alarm: Alarm; onClose: () => void }) {
  const [asked, setAsked] = useState<Asked>('')
  const s = state.value
  if (!s) return null
  if (asked !== '') return <Question key={asked} s={s} alarm={alarm} asked={asked} onBack={() => setAsked('')} onClose={onClose} />
  return (
    <Sheet title={alarmName(alarm)} onClose={onClose}>
      <p class="alarm-sentence"><strong>{alarm.sentence}</strong></p>
      <p>{stands(s, alarm)} The part has {spoiledText(alarm.spoiled)}{alarm.spoiled > 0 && `, from layer ${alarm.since} on`}.</p>
      {alarm.rehoming && <Rehoming alarm={alarm} />}
      {alarm.pictures && alarm.id > 0 ? <Blink key={alarm.id} id={alarm.id} crop={alarm.crop} arrows={alarm.arrows} layers={[alarm.before_layer, alarm.after_layer]} /> : <p class="why"><Icon name="camera" size={18} />There are no pictures: no camera saw it.</p>}
      <May><Choices s={s} alarm={alarm} onAsk={setAsked} /></May>
      <WhoSaidWhat alarm={alarm} />
      <Layers job={s.job?.id ?? ''} since={alarm.since} />
    </Sheet>
  )
}

function Choices({ s, alarm, onAsk }: { s: State; alarm: Alarm; onAsk: (what: Asked) => void }) {
  const busy = asking('job') !== null || asking('rehome') !== null || asking('alarm') !== null || alarm.rehoming?.running === true
  const stands = s.state === 'paused' && !s.pause?.held
  const enabled = live.value && !busy
  const again = alarm.rehoming?.ok === true
  return (
    <div class="sheet-actions" role="group" aria-label="What to do">
      {again
        ? <button type="button" class="btn primary big" disabled={!enabled || !stands} onClick={() => s.job && void perform('job', { do: 'resume', job: s.job.id })}>{asking('job')?.do === 'resume' ? <Spinner /> : <Icon name="play" />} Resume</button>
        : !alarm.part && (
          <button type="button" class="btn primary big" disabled={!enabled || !stands} onClick={() => onAsk('rehome')}>
            {busy && (asking('rehome') !== null || alarm.rehoming?.running) ? <Spinner /> : <Icon name="home" />}
            <span>{alarm.rehoming ? 'Re-home X and Y once more' : 'Re-home X and Y, and resume'}<small>the part has {spoiledText(alarm.spoiled)}</small></span>
          </button>
        )}
      {!again && <button type="button" class="btn" disabled={!enabled || !stands} onClick={() => onAsk('resume')}><Icon name="play" /> Resume as it is</button>}
      {s.state === 'printing' && <button type="button" class="btn" disabled={!enabled} onClick={() => s.job && void perform('alarm', { do: 'guard_seen', job: s.job.id })}><Icon name="check" /> Seen: let it print on</button>}
      <button type="button" class="btn" disabled={!enabled} onClick={() => onAsk('false')}><Icon name="undo" /> False alarm</button>
      <button type="button" class="btn danger" disabled={!live.value || asking('job')?.do === 'cancel'} onClick={() => onAsk('cancel')}><Icon name="stop" /> Stop the print</button>
      {!stands && !busy && <p class="why"><Icon name="info" size={18} />{s.state === 'paused' ? 'The printer itself holds the print: answer it first.' : s.state === 'pausing' ? 'The head is still moving. It parks.' : alarm.part ? 'To go on or not, pause the print first.' : 'To re-home, pause the print first.'}</p>}
    </div>
  )
}

const stopTitle = 'Stop this print?'
const stopWords = 'It cannot be continued afterwards. The printer cools down and parks.'

interface QuestionProps { s: State; alarm: Alarm; asked: Asked; onBack: () => void; onClose: () => void }

/** Asked once, before the machine moves. */
function Question({ s, alarm, asked, onBack, onClose }: QuestionProps) {
  const job = s.job?.id ?? ''
  const doubt = unproven(alarm.rehoming)
  const goes = s.state === 'paused' && s.pause?.by === 'shift' && doubt === ''
  if (asked === 'resume' && doubt) return <Unproven job={job} doubt={doubt} onBack={onBack} onClose={onClose} />
  const { title, words, yes, danger, run } = {
    rehome: {
      title: 'Re-home X and Y, and resume?', danger: false, yes: 'Re-home and resume',
      words: `The head goes to the endstops of X and Y, above the part. Two checks must agree before it prints on. The part keeps ${spoiledText(alarm.spoiled)}.`,
      run: () => void rehomeAndResume(job),
    },
    resume: {
      title: 'Resume as it is?', danger: false, yes: 'Resume as it is',
      words: alarm.part
        ? 'The head is where it should be. If the part is not, all that follows is printed beside it.'
        : 'The print goes on from where the head is now. If steps were lost, all that follows is printed beside its place.',
      run: () => void perform('job', { do: 'resume', job }),
    },
    cancel: {
      title: stopTitle, danger: true, yes: 'Stop print', words: stopWords,
      run: () => void perform('job', { do: 'cancel', job }),
    },
    false: {
      title: 'Was it a false alarm?', danger: false, yes: goes ? 'False alarm, resume' : 'It was a false alarm',
      words: `${alarm.pictures ? 'The two pictures are kept with the print. ' : ''}For the rest of this print, what raised it has to see more before it speaks up again.${goes ? ' The print goes on as it is.' : ''}`,
      run: () => void falseAlarm(job, goes),
    },
    '': { title: '', danger: false, yes: '', words: '', run: () => {} },
  }[asked]
  return (
    <Sheet title={title} role="alertdialog" firm onClose={onBack}>
      <p>{words}</p>
      <div class="sheet-actions">
        <button type="button" class={`btn ${danger ? 'danger solid' : 'primary'}`} disabled={!live.value || !allowed('operator') || job === ''} onClick={() => {
          run()
          if (asked === 'rehome') onBack()
          else onClose()
        }}>{yes}</button>
        <button type="button" class="btn" onClick={onBack}>Back</button>
      </div>
    </Sheet>
  )
}

/** Resuming after a re-homing that has failed: that nobody knows where the head is must be read, and then allowed. */
export function Unproven({ job, doubt, onBack, onClose }: { job: string; doubt: string; onBack: () => void; onClose: () => void }) {
  const [sure, setSure] = useState(false)
  const [stopping, setStopping] = useState(false)
  const may = live.value && allowed('operator') && job !== '' && asking('job') === null && asking('rehome') === null
  const then = (run: () => void, after: () => void) => () => {
    run()
    after()
  }
  const stop = { off: !live.value || !allowed('operator') || job === '', run: then(() => void perform('job', { do: 'cancel', job }), onClose) }
  if (stopping) {
    return (
      <Sheet key="stop" title={stopTitle} role="alertdialog" firm onClose={() => setStopping(false)}>
        <p>{stopWords}</p>
        <div class="sheet-actions">
          <button type="button" class="btn danger solid" disabled={stop.off} onClick={stop.run}>Stop print</button>
          <button type="button" class="btn" onClick={() => setStopping(false)}>Back</button>
        </div>
      </Sheet>
    )
  }
  return (
    <Sheet key="unproven" title="The head's place is not proven" role="alertdialog" firm onClose={onBack}>
      <p class="why bar"><Icon name="warn" size={20} /><span class="wrap">Re-homing X and Y did not work: {doubt}</span></p>
      <p>If the print goes on now, the head may be anywhere: what follows may be printed beside the part, and the nozzle may hit it.</p>
      <label class="check"><input type="checkbox" checked={sure} onChange={(event) => setSure(event.currentTarget.checked)} /><span>I have looked at the printer, and want it to go on all the same</span></label>
      <div class="sheet-actions">
        <button type="button" class="btn primary" disabled={!may} onClick={then(() => void rehomeAndResume(job), onBack)}><Icon name="home" /> Re-home X and Y once more</button>
        <button type="button" class="btn danger" disabled={!may || !sure} onClick={then(() => void perform('job', { do: 'resume', job, anyway: true }), onClose)}><Icon name="play" /> Resume as it is</button>
        <button type="button" class="btn danger" disabled={stop.off} onClick={() => setStopping(true)}><Icon name="stop" /> Stop the print</button>
        <button type="button" class="btn" onClick={onBack}>Back</button>
      </div>
    </Sheet>
  )
}

/** Which witness said what, and when. */
export function WhoSaidWhat({ alarm }: { alarm: Pick<Alarm, 'statements'> }) {
  if (alarm.statements.length === 0) return null
  const nowMs = link.clock.now()
  return (
    <section class="witnesses" aria-label="Who said what">
      <h3>Who said what</h3>
      <ul>
        {alarm.statements.map((st, i) => (
          <li key={i}><strong>{witnessNames[st.witness] ?? st.witness}</strong><span class="muted small num">{saidAt(st.at_ms, nowMs)}</span><span class="said-words wrap">{st.said}</span></li>
        ))}
      </ul>
    </section>
  )
}

/** The last 30 layers of the job, where they are its. */
export function Layers({ job, since = 0 }: { job: string; since?: number }) {
  const g = guard.value
  if (!g || g.job !== job) return null
  const last = g.layers.findLast((l) => l.check !== '')
  return (
    <section class="witnesses" aria-label="The last layers">
      <h3>The last {g.layers.length > 1 ? `${g.layers.length} layers` : 'layers'}</h3>
      <Timeline layers={g.layers} since={since} />
      {last && <p class="muted small num">Last check at the endstops: {checkText(last.check)}, layer {last.layer}, {saidAt(last.at_ms, link.clock.now())}.</p>}
    </section>
  )
}
