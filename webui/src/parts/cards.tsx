// Cards for when nothing is printing, and for when something is wrong: each says what happened and what to do next.
import { looseEnds } from '../diagnosis'
import { allowed, perform } from '../state'
import { routeHash } from '../route'
import { clock, duration, moment, percent, sentence, trim } from '../units'
import { layerText, outcomeText, outcomeTone } from '../words'
import type { Fault, Halt, Outcome, PortInfo } from '../wire'
import { Thumbnail } from './job'
import { Icon, Spinner } from './icon'
import { May } from './may'

/** What the firmware or the system said, in its own words. */
export function Said({ text, who = 'The printer said' }: { text: string; who?: string }) {
  if (!text) return null
  return <figure class="said"><figcaption>{who}</figcaption><code>{text}</code></figure>
}

/** Whose words those of a fault are. */
function sayer(code: string): string {
  if (code === 'out_of_turn') return 'What was executed too early'
  return code.startsWith('port') ? 'The system said' : 'The printer said'
}

interface FaultProps {
  fault: Fault
  enabled: boolean
  reconnecting: boolean
  onReconnect: (() => void) | null // null: this person may not
  onDismiss: (() => void) | null
}

export function FaultCard({ fault, enabled, reconnecting, onReconnect, onDismiss }: FaultProps) {
  return (
    <section class="card alarm" role="alert" aria-label="Fault">
      <h2><Icon name="warn" /> {fault.message}</h2>
      <Said text={fault.said} who={sayer(fault.code)} />
      {fault.next && <p class="next"><strong>What to do:</strong> {fault.next}</p>}
      <p class="muted small num">{clock(fault.at_ms)} · {fault.code}</p>
      <div class="card-actions">
        {onReconnect && (
          <button type="button" class="btn primary" disabled={!enabled || reconnecting} onClick={onReconnect}>
            {reconnecting ? <><Spinner /> Connecting…</> : <><Icon name="plug" /> Reconnect</>}
          </button>
        )}
        {onDismiss && <button type="button" class="btn" disabled={!enabled} onClick={onDismiss}>Dismiss</button>}
      </div>
    </section>
  )
}

export function HaltCard({ halt, enabled, reconnecting, onReconnect }: { halt: Halt; enabled: boolean; reconnecting: boolean; onReconnect: () => void }) {
  const sure = halt.confirmed
  const alarm = halt.unconfirmed && !sure
  return (
    <section class={`card alarm${alarm ? ' loud' : ''}`} role="alert" aria-label="Emergency stop">
      {sure && <h2><Icon name="octagon" /> The printer has stopped.</h2>}
      {alarm && <h2><Icon name="octagon" /> Not confirmed: switch the printer off</h2>}
      {!sure && !alarm && <h2><Spinner /> Emergency stop sent</h2>}
      {sure && <p>Heaters and motors are off. Before it can print again, the printer must be restarted and connected.</p>}
      {alarm && <p>The emergency stop was sent at {clock(halt.asked_ms)}, but the printer has not said that it stopped. It may still be heating or moving. Use its power switch.</p>}
      {!sure && !alarm && <p>Waiting for the printer to say that it has stopped…</p>}
      <Said text={halt.said} />
      {(sure || alarm) && (
        <May><div class="card-actions">
          <button type="button" class={alarm ? 'btn' : 'btn primary'} disabled={!enabled || reconnecting} onClick={onReconnect}>
            {reconnecting ? <><Spinner /> Connecting…</> : <><Icon name="plug" /> Reconnect</>}
          </button>
        </div></May>
      )}
    </section>
  )
}

interface ConnectProps {
  ask: boolean
  ports: readonly PortInfo[]
  locked: boolean
  port: string
  enabled: boolean
  connecting: boolean
  onConnect: (port: string) => void
}

/** No printer: connect, or choose which one. */
export function ConnectCard({ ask, ports, locked, port, enabled, connecting, onConnect }: ConnectProps) {
  if (connecting) {
    return (
      <section class="card center" aria-label="Connecting">
        <Spinner />
        <p>Waiting for the printer to answer…</p>
        {port && <p class="muted small wrap">{port}</p>}
        <May role="owner"><button type="button" class="btn small" disabled={!enabled} onClick={() => void perform('connection', { do: 'disconnect' })}>Stop trying</button></May>
      </section>
    )
  }
  if (ask && ports.length > 0 && !locked && allowed('owner')) {
    return (
      <section class="card" aria-label="Choose the printer">
        <h2>Which one is your printer?</h2>
        <p class="muted">Several devices are plugged in. Opening the wrong one could restart it, so layerd asks once and remembers.</p>
        <ul class="choices">
          {ports.map((p) => (
            <li key={p.path}>
              <button type="button" class="choice" disabled={!enabled} onClick={() => onConnect(p.path)}>
                <Icon name="plug" />
                <span><strong>{p.name || p.path}</strong><small class="wrap">{p.path}</small></span>
                <Icon name="next" size={20} />
              </button>
            </li>
          ))}
        </ul>
      </section>
    )
  }
  return (
    <section class="card" aria-label="Printer not connected">
      <h2>The printer is not connected</h2>
      <p class="muted">{locked && port ? <>layerd uses <span class="wrap">{port}</span>, as its configuration says.</> : ports.length === 0 ? 'No printer was found. Plug its USB cable in and switch it on.' : 'layerd finds the port and the speed by itself.'}</p>
      <May role="owner"><div class="card-actions">
        <button type="button" class="btn primary" disabled={!enabled} onClick={() => onConnect('')}><Icon name="plug" /> Connect</button>
        <a class="btn" href={routeHash('settings')}>Choose a port</a>
      </div></May>
      {!enabled && <p class="why"><Icon name="info" size={20} />Only an owner may connect it, and only while layerd can be reached.</p>}
    </section>
  )
}

/** How the last print ended. told is what another card says already. */
export function OutcomeCard({ outcome, nowMs, told = '' }: { outcome: Outcome; nowMs: number; told?: string }) {
  const where = layerText(outcome)
  const tone = outcomeTone(outcome.outcome)
  return (
    <section class={`card outcome tone-${tone}`} aria-label="Last print">
      <div class="job-head">
        <Thumbnail path={outcome.file} version={outcome.id} size={52} has={!outcome.card} />
        <div>
          <p class="outcome-word"><span class="dot" aria-hidden="true" />{outcomeText(outcome.outcome)}<span class="muted num"> · {moment(outcome.ended_ms, nowMs)}</span></p>
          <h2 class="job-name">{outcome.name}</h2>
          {outcome.card && <p class="muted small">From the printer's own card</p>}
        </div>
      </div>
      {outcome.outcome === 'interrupted' && !outcome.card && (
        <p>The print was interrupted{where && ` at ${where}`}{outcome.z_mm > 0 && ` (${trim(outcome.z_mm, 2)} mm, ${percent(outcome.percent)} %)`}. Nothing moves or heats until you say so.</p>
      )}
      {outcome.outcome !== 'done' && outcome.reason && outcome.reason !== told && <p>{sentence(outcome.reason)}</p>}
      <p class="muted num">
        {duration(outcome.elapsed_s)} printed{outcome.outcome !== 'interrupted' && where && ` · ${where}`}
      </p>
      {looseEnds(outcome) && <p class="num">{looseEnds(outcome)}</p>}
      {outcome.file && !outcome.card && <a class="btn" href={routeHash('files', outcome.file)}>{outcome.outcome === 'done' && allowed('operator') ? 'Print again' : 'Show the file'}</a>}
    </section>
  )
}

/** reconnect asks for the connection again, on the port that was used last. */
export function reconnect(port: string): void {
  void perform('connection', { do: 'connect', port, baud: 0 })
}
