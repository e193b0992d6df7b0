// The first screen: the picture, the print, what it is doing, and the two buttons that matter.
import { useState } from 'preact/hooks'
import { Actions } from '../parts/actions'
import { Cameras } from '../parts/camera'
import { ConnectCard, FaultCard, HaltCard, OutcomeCard, reconnect } from '../parts/cards'
import { DiagnosisCards } from '../parts/diagnosis'
import { TemperatureCard } from '../parts/graphs'
import { HeaterSheet, HeaterTile, heaterParts, Tile } from '../parts/heat'
import { Icon, Spinner } from '../parts/icon'
import { JobCard, StartingCard } from '../parts/job'
import { lazy } from '../parts/lazy'
import { LostCard } from '../parts/lost'
import { May } from '../parts/may'
import { PauseCard, PromptCard } from '../parts/pause'
import { fan, flow, PercentWithChips, speed } from '../parts/percent'
import { Sheet } from '../parts/sheet'
import { routeHash } from '../route'
import { allowed, asking, link, live, perform, state, tick } from '../state'
import { celsius, clock, dash, duration, meters, trim } from '../units'
import { cardName, hasJob, switchedOff, underWay, whyNot } from '../words'
import type { Job, State } from '../wire'

const HeatCard = lazy(() => import('../parts/keeper').then((m) => m.HeatCard))
const Protection = lazy(() => import('../parts/keeper').then((m) => m.Protection))
const TuneCard = lazy(() => import('../parts/tune').then((m) => m.TuneCard))
const CardPrint = lazy(() => import('../parts/cardprint').then((m) => m.CardPrint))
const PreparingCard = lazy(() => import('../parts/preparing').then((m) => m.PreparingCard))
const NextCard = lazy(() => import('../parts/next').then((m) => m.NextCard))
const StopsRow = lazy(() => import('../parts/stops').then((m) => m.StopsRow), true)
const LookBack = lazy(() => import('../parts/lookback').then((m) => m.LookBack))
const ObjectsButton = lazy(() => import('../parts/objects').then((m) => m.ObjectsButton), true)
const GuardNow = lazy(() => import('../parts/guardnow').then((m) => m.GuardNow))
const HostWarning = lazy(() => import('../parts/hostwarning').then((m) => m.HostWarning), true)
const PowerCard = lazy(() => import('../parts/power').then((m) => m.PowerCard), true)
const SpoolLine = lazy(() => import('../parts/spoolline').then((m) => m.SpoolLine))

export function PrintScreen() {
  const s = state.value
  if (!s) return <p class="center muted"><Spinner /></p>
  const enabled = live.value && allowed('operator')
  const printing = hasJob(s.state)
  return (
    <div class="print">
      <div class="print-main">
        <Cameras cameras={s.cameras} live={live.value} />
        {s.overlay.problem && allowed('owner') && <a class="warning" href={routeHash('settings', 'away')}><Icon name="warn" size={20} /><span class="wrap">Away from home: {s.overlay.problem}</span><Icon name="next" size={20} /></a>}
        {printing && s.host.level === 'bad' && <HostWarning s={s} />}
        {s.free_bytes >= 0 && s.free_bytes < 20e6 && s.host.id !== 'disk' && <a class="warning" href={routeHash('files')}><Icon name="warn" size={20} /><span class="wrap">The disk is full. A print goes on, but little of it is kept: delete files or timelapses.</span><Icon name="next" size={20} /></a>}
        {s.prompt && <PromptCard prompt={s.prompt} enabled={enabled} />}
        {s.guard && s.job && printing && <GuardNow s={s} job={s.job} />}
        <Now s={s} enabled={enabled} />
        <May>
          {s.job && printing && <Actions state={s.state} job={s.job} enabled={enabled} />}
          {s.card?.printing && printing && <Actions state={s.state} job={{ id: s.card.id, name: cardName(s.card) }} enabled={enabled} card />}
        </May>
        {s.job && printing && s.job.objects >= 2 && <May><ObjectsButton job={s.job} enabled={enabled && s.state !== 'cancelling' && s.state !== 'finishing'} /></May>}
        {printing && (s.timelapse.id || s.timelapse.problem) && <LookBack now={s.timelapse} />}
        {s.state === 'idle' && s.queued > 0 && <NextCard />}
        {s.state === 'idle' && !beginning() && (
          <May><div class="actions"><a class={`btn big${s.queued > 0 ? '' : ' primary'}`} href={routeHash('files')}><Icon name="files" /> Choose a file</a></div></May>
        )}
      </div>
      <div class="print-side">
        {tellsOfHeat(s) && <HeatCard s={s} />}
        {printing && !s.fault && <DiagnosisCards s={s} />}
        {s.power != null && !switchedOff(s) && <PowerCard s={s} />}
        {!underWay(s) && s.last_job && <OutcomeCard outcome={s.last_job} nowMs={link.clock.now()} told={s.fault?.message ?? ''} />}
        {s.state !== 'disconnected' && s.state !== 'connecting' && !s.lost && <Tiles s={s} />}
        {allowed('operator') && !s.lost && (printing || s.state === 'idle' && s.tuning.babystep_unsaved_mm !== 0) && <TuneCard s={s} />}
        <TemperatureCard />
        {(s.keeper.protection === 'off' || s.keeper.protection === 'unknown') && <Protection protection={s.keeper.protection} />}
        {s.job && underWay(s) && <Details s={s} job={s.job} />}
      </div>
    </div>
  )
}

/** The keeper of heat is about to switch something off, or has. */
function tellsOfHeat({ keeper: k }: State): boolean {
  return k.nozzle_off_ms + k.bed_off_ms + k.nozzle_cooled_ms + k.bed_cooled_ms > 0
}

/** What the heaters that are on have, and what they are to have. */
function wanted(s: State): string {
  return heaterParts(s).flatMap(({ name, heater }) => (heater && heater.target_c > 0 ? [`${name} ${celsius(heater.actual_c)} of ${celsius(heater.target_c)}`] : [])).join(', ')
}

/** What is going on, in one card or two. */
function Now({ s, enabled }: { s: State; enabled: boolean }) {
  void tick.value // end times move on
  const connecting = s.state === 'connecting' || asking('connection') !== null
  const waitsForPerson = s.waiting.includes('user') || s.waiting.includes('input')
  const mayConnect = enabled && allowed('owner')
  if (s.halt && (s.state === 'halting' || s.state === 'halted')) {
    // Dismissing lets layerd restart the board and talk to it again.
    return <HaltCard halt={s.halt} enabled={enabled} reconnecting={connecting} onReconnect={() => void perform('connection', { do: 'dismiss' })} />
  }
  if (s.lost && s.fault && s.job) {
    return (
      <>
        <LostCard lost={s.lost} fault={s.fault} job={s.job} enabled={enabled} nowMs={link.clock.now()} />
        <JobCard job={s.job} running={false} preparing={false} nowMs={link.clock.now()} />
      </>
    )
  }
  if (s.state === 'faulted' && s.fault) {
    return <FaultCard fault={s.fault} enabled={enabled} reconnecting={connecting} onReconnect={mayConnect ? () => reconnect('') : null} onDismiss={allowed('operator') ? () => void perform('fault', { do: 'dismiss' }) : null} />
  }
  if (switchedOff(s)) return <PowerCard s={s} apart />
  if (s.state === 'disconnected' || s.state === 'connecting') {
    const { ask, ports, locked, port } = s.connection
    return (
      <>
        {s.fault && !connecting && !ask && <FaultCard fault={s.fault} enabled={enabled} reconnecting={false} onReconnect={mayConnect ? () => reconnect('') : null} onDismiss={null} />}
        {(!s.fault || ask || connecting) && <ConnectCard ask={ask} ports={ports} locked={locked} port={port} enabled={mayConnect} connecting={connecting} onConnect={reconnect} />}
      </>
    )
  }
  if (s.job && hasJob(s.state)) {
    const running = s.state === 'printing' || s.state === 'finishing' || s.state === 'starting'
    return (
      <>
        {s.fault && <FaultCard fault={s.fault} enabled={enabled} reconnecting={false} onReconnect={null} onDismiss={null} />}
        {s.pause && s.pause.by !== 'shift' && <PauseCard s={s} pause={s.pause} enabled={enabled} />}
        {s.state === 'cancelling' && s.waiting === 'heating' && <section class="card notice-card" role="status"><h2><Icon name="clock" /> Waiting for the printer to warm up</h2><p>Its firmware cannot be interrupted while it heats ({wanted(s)}). The heaters go off as soon as it listens; Emergency stop ends it at once.</p></section>}
        {waitsForPerson && !s.pause && !s.prompt && <WaitsCard />}
        <JobCard job={s.job} running={running} preparing={s.state === 'starting' || s.waiting === 'heating'} nowMs={link.clock.now()}>
          {s.job.layers > 0 && s.state !== 'finishing' && s.state !== 'cancelling' && <StopsRow job={s.job} enabled={enabled} />}
        </JobCard>
      </>
    )
  }
  if (s.card?.printing && hasJob(s.state)) {
    return (
      <>
        {waitsForPerson && !s.prompt && <WaitsCard />}
        <CardPrint card={s.card} state={s.state} waiting={s.waiting} nowMs={link.clock.now()} />
      </>
    )
  }
  if (s.preparing) return <PreparingCard />
  if (beginning()) return <StartingCard />
  return s.last_job || s.queued > 0 ? null : <section class="card center"><p><strong>Ready to print.</strong></p><May><p class="muted">Upload a G-code file from your slicer, or choose one.</p></May></section>
}

function WaitsCard() {
  return <section class="card notice-card" role="alert"><h2><Icon name="info" /> The printer waits for you</h2><p>It wants something done at the machine, such as a new filament, and goes on when its button is pressed.</p></section>
}

/** A print was asked for, and is not in the state yet. */
function beginning(): boolean {
  const asked = asking('job')?.do
  return asked === 'start' || asked === 'start_card'
}

/** What one looks for when something is odd. */
function Details({ s, job }: { s: State; job: Job }) {
  const p = s.position
  return (
    <section class="card" aria-label="Details">
      <dl class="list num">
        <div><dt>Started</dt><dd class="wrap">{clock(job.started_ms)}{job.by && ` by ${job.by}`}</dd></div>
        {job.slicer_left_s >= 0 && job.left_by !== 'slicer' && <div><dt>The slicer says</dt><dd>{duration(job.slicer_left_s)} left</dd></div>}
        {job.printer_left_s >= 0 && job.left_by !== 'printer' && <div><dt>The printer says</dt><dd>{duration(job.printer_left_s)} left</dd></div>}
        <div><dt>Line</dt><dd>{job.line.toLocaleString('en')} of {job.lines > 0 ? job.lines.toLocaleString('en') : dash}</dd></div>
        {job.arcs > 0 && <div><dt>Curves</dt><dd>{job.arcs.toLocaleString('en')} arcs in place of lines</dd></div>}
        {!s.lost && <div><dt>Position</dt><dd>{p ? `X ${trim(p.x_mm, 1)}  Y ${trim(p.y_mm, 1)}  Z ${trim(p.z_mm, 2)}` : dash}</dd></div>}
        {job.filament_mm > 0 && <div><dt>Filament</dt><dd>{meters(job.filament_mm)} used</dd></div>}
        {s.notice && <div><dt>Display</dt><dd class="wrap">{s.notice}</dd></div>}
        {!s.lost && <div><dt>Asked for again</dt><dd>{s.link.resends === 0 ? 'nothing' : s.link.resends === 1 ? '1 line' : `${s.link.resends} lines`}</dd></div>}
      </dl>
      <SpoolLine />
    </section>
  )
}

/** Temperatures, and the fan, speed and flow. */
function Tiles({ s }: { s: State }) {
  const [open, setOpen] = useState('')
  const disabled = whyNot(s, live.value, allowed, 'connected') !== ''
  const parts = heaterParts(s)
  const opened = parts.find((part) => part.key === open)
  const now = link.clock.now()
  const oldMs = s.temps_at_ms > 0 && now - s.temps_at_ms > 15_000 ? s.temps_at_ms : 0
  return (
    <section class="tiles" aria-label="Temperatures and speeds">
      <div class="tile-row">
        {parts.map((part) => <HeaterTile key={part.key} part={part} oldMs={oldMs} disabled={disabled} onOpen={() => setOpen(part.key)} />)}
      </div>
      <div class="tile-row three">
        {[fan, speed, flow].map((kind) => <PercentTile key={kind.doing} kind={kind} value={s.card?.printing ? null : valueOf(s, kind.doing)} disabled={disabled} onOpen={() => setOpen(kind.doing)} />)}
      </div>
      {opened && <HeaterSheet part={opened} onClose={() => setOpen('')} />}
      {[fan, speed, flow].filter((kind) => kind.doing === open).map((kind) => (
        <Sheet key={kind.doing} title={kind.label} onClose={() => setOpen('')}>
          <PercentWithChips {...kind} value={valueOf(s, kind.doing)} disabled={disabled} />
        </Sheet>
      ))}
    </section>
  )
}

type Kind = typeof fan | typeof speed | typeof flow

/** value null: a file of the printer's own card sets it, and layerd does not see what. */
function PercentTile({ kind, value, disabled, onOpen }: { kind: Kind; value: number | null; disabled: boolean; onOpen: () => void }) {
  const asked = asking(kind.doing)
  const known = asked && 'percent' in asked ? asked.percent : value
  const shown = known === null ? dash : Math.round(known)
  return (
    <Tile spoken={`${kind.label}: ${known === null ? 'unknown' : `${shown} percent`}`} disabled={disabled} onOpen={onOpen}>
      <span class="tile-name"><Icon name={kind.icon} size={18} />{kind.label}</span>
      <span class="tile-value">{shown}<small> %</small>{asked && <Spinner />}</span>
    </Tile>
  )
}

function valueOf(s: State, doing: Kind['doing']): number {
  return doing === 'set_fan' ? s.fan_percent : doing === 'set_speed' ? s.speed_percent : s.flow_percent
}
