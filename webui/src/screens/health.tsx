// How the machine does that layerd runs on: what to fix first, then all that is well.
import { useEffect, useState } from 'preact/hooks'
import { followHealth, levelWords, type Check, type MachineHealth } from '../health'
import { Icon, Spinner, type IconName } from '../parts/icon'
import { OwnersOnly, owners } from '../parts/said'
import { link } from '../state'
import { moment } from '../units'
import '../style/health.css'

export function HealthPage() {
  return owners() ? <Checks /> : <OwnersOnly />
}

const icons: Record<Check['level'], IconName> = { ok: 'check', note: 'info', unknown: 'minus', warn: 'warn', bad: 'warn' }

function Checks() {
  const [health, setHealth] = useState<MachineHealth | null>(null)
  useEffect(() => followHealth(setHealth), [])
  if (!health || health.at_ms === 0) return <p class="center muted"><Spinner /></p>
  const wrong = health.checks.filter(({ level }) => level === 'bad' || level === 'warn')
  const rest = health.checks.filter(({ level }) => level !== 'bad' && level !== 'warn')
  return (
    <div class="health" data-testid="health">
      {wrong.length === 0 && <p class="card health-well" role="status"><Icon name="check" />Nothing on this machine needs fixing.</p>}
      {wrong.map((c) => (
        <section key={c.id} class={`card check-card tone-${c.level}`} aria-label={c.name} data-level={c.level}>
          <h2><Icon name={icons[c.level]} /><span>{c.name}</span><small>{levelWords[c.level]}</small></h2>
          <p class="wrap">{c.found}</p>
          {c.do && <p class="wrap check-do"><strong>What to do:</strong> {c.do}</p>}
        </section>
      ))}
      <ul class="card check-list" aria-label="Everything else">
        {rest.map((c) => (
          <li key={c.id} class={`tone-${c.level}`} data-level={c.level}>
            <Icon name={icons[c.level]} size={20} />
            <div>
              <p><strong>{c.name}</strong>{c.level !== 'ok' && <small class="muted">{levelWords[c.level]}</small>}</p>
              <p class="wrap">{c.found}</p>
              {c.do && <p class="wrap muted small">{c.do}</p>}
            </div>
          </li>
        ))}
      </ul>
      <p class="muted small num">Looked at {moment(health.at_ms, link.clock.now())}, and each minute. The same in a terminal: <code>layerd doctor</code></p>
    </div>
  )
}
