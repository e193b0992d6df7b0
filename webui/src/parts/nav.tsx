// The way between screens: a bar at the bottom of a phone, a rail at the side of a desktop.
import { routeHash, type ScreenName } from '../route'
import { Icon } from './icon'

const tabs: readonly { screen: ScreenName; name: string }[] = [
  { screen: 'print', name: 'Print' },
  { screen: 'files', name: 'Files' },
  { screen: 'move', name: 'Move' },
  { screen: 'console', name: 'Console' },
  { screen: 'settings', name: 'Settings' },
]

export function Nav({ current }: { current: ScreenName }) {
  return (
    <nav class="nav" aria-label="Screens">
      {tabs.map(({ screen, name }) => (
        <a key={screen} href={routeHash(screen)} aria-current={current === screen ? 'page' : undefined}>
          <Icon name={screen} />
          <span>{name}</span>
        </a>
      ))}
    </nav>
  )
}
