// Which screen is shown: the fragment, #/files/folder, so that back, reload and bookmarks work without the server knowing.
import { signal } from '@preact/signals'

export const screens = ['print', 'files', 'move', 'console', 'settings'] as const
export type ScreenName = (typeof screens)[number]

export interface Route {
  screen: ScreenName
  rest: string // of #/files/…: the folder
}

export function readRoute(hash: string): Route {
  const [first = '', ...more] = hash.replace(/^#\/?/, '').split('/')
  const screen = screens.find((name) => name === first)
  return screen ? { screen, rest: more.map(decode).filter(Boolean).join('/') } : { screen: 'print', rest: '' }
}

export function routeHash(screen: ScreenName, rest = ''): string {
  return `#/${screen}${rest ? '/' + rest.split('/').map(encodeURIComponent).join('/') : ''}`
}

export const route = signal<Route>(readRoute(location.hash))

addEventListener('hashchange', () => {
  const before = route.value.screen
  route.value = readRoute(location.hash)
  if (route.value.screen !== before) scrollTo(0, 0)
})

export function go(screen: ScreenName, rest = ''): void {
  location.hash = routeHash(screen, rest)
}

/** Goes there without a step in the history: for closing what go() opened. */
export function goInstead(screen: ScreenName, rest = ''): void {
  location.replace(routeHash(screen, rest))
}

/** The key of a printed address, http://host:8080/#token=ld_…, or "". It leaves the address bar and the history at once. */
export function takeToken(): string {
  const found = /^#token=([^&]+)/.exec(location.hash)
  if (!found?.[1]) return ''
  history.replaceState(null, '', location.pathname + location.search)
  route.value = readRoute('')
  return decode(found[1])
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
