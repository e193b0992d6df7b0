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
  if (secretHash.test(location.hash)) return location.reload() // pasted into the address bar of this page: begin anew with it
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

/** What a printed address carries: a key, or the secret with which the first owner sets layerd up. */
export interface Carried { kind: 'token' | 'setup'; secret: string }

const secretHash = /#(token|setup)=([^&\s]+)/

/** What the address carries, http://host:8080/#token=ld_… or #setup=…; null for none. */
export function readCarried(address: string): Carried | null {
  const [, kind, secret] = secretHash.exec(address) ?? []
  return secret ? { kind: kind === 'setup' ? 'setup' : 'token', secret: decode(secret) } : null
}

/** Takes that of this page's address: it leaves the address bar and the history at once. */
export function takeCarried(): Carried | null {
  const carried = readCarried(location.hash)
  if (carried) {
    history.replaceState(null, '', location.pathname + location.search)
    route.value = readRoute('')
  }
  return carried
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
