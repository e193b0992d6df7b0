// The way between screens: a bar at the bottom of a phone, a rail at the side of a desktop.
import { routeHash, type ScreenName } from '../route'
import { allowed, state } from '../state'
import type { Role } from '../wire'
import { Icon } from './icon'

const tabs: readonly { screen: ScreenName; name: string; role?: Role }[] = [
  { screen: 'print', name: 'Print' },
  { screen: 'files', name: 'Files' },
  { screen: 'move', name: 'Move', role: 'operator' },
  { screen: 'console', name: 'Console', role: 'operator' },
  { screen: 'settings', name: 'Settings' },
]

export function Nav({ current }: { current: ScreenName }) {
  return (
    <nav class="nav" aria-label="Screens">
      {tabs.filter(({ role }) => !role || !state.value || allowed(role)).map(({ screen, name }) => (
        <a key={screen} href={routeHash(screen)} aria-current={current === screen ? 'page' : undefined}>
          <Icon name={screen} />
          <span>{name}</span>
        </a>
      ))}
    </nav>
  )
}
