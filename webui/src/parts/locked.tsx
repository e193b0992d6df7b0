// The reason why a setting cannot be changed on the page.
import { Icon } from './icon'

/** Says that a setting comes from outside and cannot be changed here. */
export function Locked({ by }: { by: string | undefined }) {
  if (!by) return null
  const where = by === 'file' ? 'the configuration file' : by === 'environment' ? "layerd's environment" : by === 'flag' ? 'a flag on its command line' : by
  return <p class="locked"><Icon name="lock" size={18} />Set by {where}, so it cannot be changed here.</p>
}
