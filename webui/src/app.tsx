// The shell around the screens.
import { signal } from '@preact/signals'
import { Announcer, Notices } from './parts/announce'
import { Header, LinkBar } from './parts/header'
import { Spinner } from './parts/icon'
import { lazy } from './parts/lazy'
import { Nav } from './parts/nav'
import { route, type ScreenName } from './route'
import { FilesScreen } from './screens/files'
import { PrintScreen } from './screens/print'
import { allowed, live, loggedIn, over, state } from './state'

const Asking = lazy(() => import('./parts/asking').then((m) => m.Asking), true)
const Door = lazy(() => import('./screens/door').then((m) => m.Door))

export function App() {
  if (loggedIn.value === false) return <Door />
  const { screen } = route.value
  const Over = over.value
  return (
    <div class={`shell${state.value && !live.value ? ' stale' : ''}`}>
      <Header />
      <LinkBar />
      <main class={`screen on-${screen}`} id="screen">
        {allowed('owner') && (state.value?.asking.length ?? 0) > 0 && <Asking />}
        {state.value ? <Screen name={screen} /> : <p class="center muted"><Spinner /></p>}
      </main>
      <Nav current={screen} />
      {Over && <Over />}
      <Notices />
      <Announcer />
    </div>
  )
}

type Later = typeof import('./later')
const later = signal<Later | null>(null)
const laterFailed = signal(false)

/** Fetches the other screens; asked again when it failed, because the link may be back. */
export async function loadLater(): Promise<void> {
  if (later.value) return
  laterFailed.value = false
  try {
    later.value = await import('./later')
    later.value.seekPrinters()
  } catch {
    laterFailed.value = true
  }
}

function Screen({ name }: { name: ScreenName }) {
  if (name === 'print') return <PrintScreen />
  if (name === 'files') return <FilesScreen />
  const more = later.value
  if (!more) {
    return laterFailed.value
      ? <section class="card center"><p>This part of the page could not be loaded.</p><button type="button" class="btn" onClick={() => void loadLater()}>Try again</button></section>
      : <p class="center muted"><Spinner /></p>
  }
  switch (name) {
    case 'move': return <more.MoveScreen />
    case 'console': return <more.ConsoleScreen />
    case 'settings': return <more.SettingsScreen />
  }
}
