// Settings: the printer's connection, what this layerd is, and the pages below.
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Icon, Spinner, type IconName } from '../parts/icon'
import { lazy } from '../parts/lazy'
import { Locked } from '../parts/locked'
import { healthLine } from '../health'
import { lineErrors, starvedText } from '../diagnosis'
import { route, routeHash } from '../route'
import { allowed, asking, choices, link, linkStatus, live, loadChoices, perform, state, tick } from '../state'
import { bytes, duration } from '../units'
import { stateText, underWay } from '../words'
import type { Choices, Role, State } from '../wire'

/** A page below Settings, at #/settings/NAME, with its own pages at #/settings/NAME/…; fetched when it is first shown. */
interface Page {
  at: string
  name: string
  about: string
  icon: IconName
  /** The least role that it is of use to; a viewer when absent. */
  role?: Role
  Show: ComponentType
  shown?: (s: State) => boolean
  /** What it says instead of about, when something there is wrong. */
  wrong?: (s: State) => string
}

const pages: readonly Page[] = [
  { at: 'account', name: 'Your account', about: 'Who you are, your password, where you are logged in', icon: 'person', Show: lazy(() => import('./account').then((m) => m.AccountPage)) },
  { at: 'people', name: 'People', about: 'Who may come in, and what each may do', icon: 'people', role: 'owner', Show: lazy(() => import('./people').then((m) => m.PeoplePage)) },
  { at: 'keys', name: 'Keys and links', about: 'For slicers and programs; links only to look', icon: 'key', role: 'owner', Show: lazy(() => import('./tokens').then((m) => m.TokensPage)) },
  { at: 'audit', name: 'What was done', about: 'Who did what, when, and from where', icon: 'clock', role: 'owner', Show: lazy(() => import('./audit').then((m) => m.AuditPage)) },
  { at: 'health', name: 'Health', about: "layerd's machine: power, disk, clock, ports, network", icon: 'info', role: 'owner', Show: lazy(() => import('./health').then((m) => m.HealthPage)), wrong: healthLine },
  { at: 'away', name: 'Away from home', about: 'The printer on your phone, wherever you are', icon: 'globe', role: 'owner', Show: lazy(() => import('./away').then((m) => m.AwayPage)) },
  { at: 'printers', name: 'Printers', about: 'Others on the same network', icon: 'print', Show: lazy(() => import('./printers').then((m) => m.PrintersPage)), shown: (s) => s.overlay.kind !== 'none' },
  { at: 'profiles', name: 'Printer profiles', about: 'Size, limits, park point; several to choose from', icon: 'print', role: 'owner', Show: lazy(() => import('../parts/profiles').then((m) => m.ProfilesPage)) },
  { at: 'safety', name: 'Safety', about: 'When heat is switched off, and what watches it', icon: 'warn', role: 'owner', Show: lazy(() => import('./safety').then((m) => m.SafetyScreen)) },
  { at: 'sending', name: 'Sending', about: 'Curves as arcs: fewer lines for a slow cable', icon: 'plug', role: 'owner', Show: lazy(() => import('./sending').then((m) => m.SendingScreen)) },
  { at: 'cameras', name: 'Cameras', about: 'Which, how big, exposure and focus', icon: 'camera', role: 'owner', Show: lazy(() => import('./cameras').then((m) => m.CamerasPage)) },
  { at: 'power', name: 'Power and light', about: 'Plugs, relays, the lamp; off after a print; restart', icon: 'power', role: 'owner', Show: lazy(() => import('./power').then((m) => m.PowerPage)) },
  { at: 'shifts', name: 'Layer shifts', about: 'Noticing when the printer loses its place', icon: 'search', role: 'owner', Show: lazy(() => import('./shifts').then((m) => m.ShiftsPage)) },
  { at: 'mesh', name: 'Bed mesh', about: 'How flat the bed is, as the printer has measured it', icon: 'bed', Show: lazy(() => import('./mesh').then((m) => m.MeshPage)) },
  { at: 'eeprom', name: "The printer's memory", about: 'Steps, speeds, PID, probe: read, change, save', icon: 'part', role: 'owner', Show: lazy(() => import('./eeprom').then((m) => m.EEPROMPage)) },
  { at: 'spools', name: 'Spools', about: 'What filament there is, and what is left', icon: 'spool', Show: lazy(() => import('../parts/spools').then((m) => m.Spools)) },
  { at: 'timelapse', name: 'Timelapses', about: 'When prints are recorded, and the room for it', icon: 'film', role: 'owner', Show: lazy(() => import('./timelapse').then((m) => m.TimelapsePage)) },
  { at: 'backup', name: 'Backup', about: 'All that layerd knows, in one file', icon: 'download', role: 'owner', Show: lazy(() => import('./backup').then((m) => m.BackupPage)), shown: (s) => !s.demo },
  { at: 'scripts', name: 'Scripts', about: 'G-code when a print starts, pauses, ends', icon: 'console', role: 'owner', Show: lazy(() => import('../parts/scripts').then((m) => m.ScriptsPage)) },
  { at: 'buttons', name: 'Buttons', about: 'Your own buttons on the Move screen', icon: 'plus', role: 'owner', Show: lazy(() => import('../parts/buttons').then((m) => m.ButtonsPage)) },
]

export function SettingsScreen() {
  const [first, ...below] = route.value.rest.split('/')
  const page = pages.find(({ at }) => at === first)
  if (!page) return <Overview />
  return (
    <>
      <div class="crumbs">
        <a class="icon-button" href={routeHash('settings', below.length > 0 ? page.at : '')} aria-label={below.length > 0 ? page.name : 'All settings'}><Icon name="back" /></a>
        <h2>{page.name}</h2>
      </div>
      <page.Show />
    </>
  )
}

function Overview() {
  const up = live.value
  useEffect(() => {
    if (up) void loadChoices()
  }, [up])
  const s = state.value
  if (!s) return null
  const owner = allowed('owner')
  const enabled = up && owner
  const all = choices.value
  return (
    <>
      {!owner && <p class="why bar"><Icon name="lock" size={20} />Only an owner may change settings. You are {s.me.role}.</p>}
      <nav class="file-list" aria-label="More settings">
        {pages.filter(({ role = 'viewer', shown }) => allowed(role) && (shown?.(s) ?? true)).map(({ at, name, about, icon, wrong }) => (
          <a key={at} class="file-row" href={routeHash('settings', at)}>
            <Icon name={icon} />
            <span class="file-words"><strong>{name}</strong>{wrong?.(s) ? <small class={`tone-${s.host.level}`}>{wrong(s)}</small> : <small>{about}</small>}</span>
            <Icon name="next" size={20} />
          </a>
        ))}
      </nav>
      <div class="columns">
        <Connection s={s} all={all} enabled={enabled} />
        <About s={s} />
      </div>
    </>
  )
}

function Connection({ s, all, enabled }: { s: State; all: Choices | null; enabled: boolean }) {
  const [port, setPort] = useState('')
  const [baud, setBaud] = useState(0)
  const ports = all?.ports ?? s.connection.ports
  const lockedPort = s.locked['printer.port'] ?? (s.connection.locked ? "layerd's configuration" : undefined)
  const lockedBaud = s.locked['printer.baud']
  const connected = s.state !== 'disconnected'
  const busy = asking('connection') !== null || s.state === 'connecting'
  const owner = allowed('owner')
  return (
    <section class="card" aria-label="Connection">
      <div class="card-head"><h2>Connection</h2><p class="muted">{stateText(s, asking('connection'))}</p></div>
      {connected && s.connection.port && (
        <dl class="list num">
          <Fact name="Port" value={s.connection.port} />
          {s.connection.baud > 0 && <Fact name="Speed" value={`${s.connection.baud} baud`} />}
        </dl>
      )}
      {!connected && owner && (
        <>
          <div class="field">
            <label for="port">Port</label>
            <select id="port" value={lockedPort ? s.connection.port : port} disabled={!enabled || lockedPort !== undefined} onChange={(event) => setPort(event.currentTarget.value)}>
              <option value="">Find it</option>
              {lockedPort && s.connection.port && <option value={s.connection.port}>{s.connection.port}</option>}
              {ports.map((p) => <option key={p.path} value={p.path}>{p.name && p.name !== p.path ? `${p.name} (${p.path})` : p.path}</option>)}
            </select>
            <Locked by={lockedPort} />
          </div>
          <div class="field">
            <label for="baud">Speed in baud</label>
            <select id="baud" value={baud} disabled={!enabled || lockedBaud !== undefined} onChange={(event) => setBaud(Number(event.currentTarget.value))}>
              <option value={0}>Find it</option>
              {(all?.bauds ?? []).filter((b) => b > 0).map((b) => <option key={b} value={b}>{b}</option>)}
            </select>
            <Locked by={lockedBaud} />
          </div>
        </>
      )}
      {connected && <Locked by={lockedPort} />}
      {owner && <div class="card-actions">
        {connected
          ? <button type="button" class="btn" disabled={!enabled || busy && s.state !== 'connecting' || underWay(s)} onClick={() => void perform('connection', { do: 'disconnect' })}>Disconnect</button>
          : <button type="button" class="btn primary" disabled={!enabled || busy} onClick={() => void perform('connection', { do: 'connect', port: lockedPort ? '' : port, baud })}>{busy ? <Spinner /> : <Icon name="plug" />} Connect</button>}
      </div>}
      {owner && underWay(s) && <p class="why"><Icon name="info" size={20} />Not while a print is under way.</p>}
    </section>
  )
}

function About({ s }: { s: State }) {
  void tick.value
  const { link: stats, health, connection } = s
  const rtt = link.clock.rttMs
  return (
    <section class="card" aria-label="About">
      <h2>About</h2>
      <dl class="list num">
        <Fact name="layerd" value={s.version + (s.demo ? ' (demo)' : '')} />
        {connection.firmware && <Fact name="Firmware" value={connection.firmware} />}
        {connection.machine && <Fact name="Machine" value={connection.machine} />}
        {connection.dialect && <Fact name="Dialect" value={connection.dialect} />}
        {connection.since_ms > 0 && s.state !== 'disconnected' && <Fact name="Connected for" value={duration((link.clock.now() - connection.since_ms) / 1000)} />}
        <Fact name="Lines sent" value={`${stats.sent}, of them asked for again ${stats.resends}`} />
        {health.wire_percent >= 0 && <Fact name="Use of the cable" value={`${health.wire_percent} %`} />}
        {lineErrors(health) && <Fact name="Line errors" value={lineErrors(health)} />}
        {(s.job || s.last_job) && <Fact name="Printer starved" value={starvedText(health)} />}
        <Fact name="In flight" value={`${stats.in_flight} lines, ${stats.in_flight_bytes} bytes`} />
        <Fact name="Sent ahead" value={sentAhead(stats)} />
        <Fact name="Not understood" value={`${stats.unknown} lines`} />
        {stats.probes > 0 && <Fact name="Lost answers" value={`${stats.probes} times asked`} />}
        <Fact name="This page" value={linkStatus.value === 'up' ? `connected${rtt !== null ? `, ${Math.round(rtt)} ms away` : ''}` : 'not connected'} />
        <Fact name="Free space" value={bytes(s.free_bytes)} />
      </dl>
      {s.new_version && <p class="why"><Icon name="info" size={20} />A new version is installed. It takes over when nothing prints and the printer is cold.</p>}
      {s.new_version && allowed('owner') && <div class="card-actions">
        <button type="button" class="btn" disabled={!live.value || underWay(s) || asking('restart') !== null} onClick={() => void perform('restart', { do: 'restart' })}>Restart now</button>
      </div>}
    </section>
  )
}

// How much may be on its way before it is answered.
function sentAhead({ flow, window_bytes, queue_lines, shrinks }: State['link']): string {
  const much = flow === 'one line' ? 'one line at a time' : `${flow}, up to ${window_bytes} bytes` + (queue_lines > 0 ? ` beyond ${queue_lines} lines` : '')
  return shrinks > 0 ? `${much}; ${shrinks} times halved after trouble` : much
}

function Fact({ name, value }: { name: string; value: string }) {
  return <div><dt>{name}</dt><dd class="wrap">{value}</dd></div>
}
