// What is bad with layerd's machine while it prints. It is said once: who has put it away is told again when it was well in between, or another thing is bad.
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { healthLine } from '../health'
import { routeHash } from '../route'
import { allowed } from '../state'
import type { State } from '../wire'
import { Icon } from './icon'

const seen = signal('')

export function HostWarning({ s }: { s: State }) {
  const bad = s.host.level === 'bad' ? s.host.id : ''
  useEffect(() => {
    if (bad !== seen.value) seen.value = ''
  }, [bad])
  if (bad === '' || seen.value === bad) return null
  return (
    <div class="warning" role="alert" data-testid="host-warning">
      <Icon name="warn" size={20} />
      <span class="wrap">
        {healthLine(s)}
        {allowed('owner') ? <a class="btn small" href={routeHash('settings', 'health')}>What to do</a> : s.host.do && <small>{s.host.do}</small>}
      </span>
      <button type="button" class="icon-button" aria-label="Put this away" onClick={() => (seen.value = bad)}><Icon name="close" size={20} /></button>
    </div>
  )
}
