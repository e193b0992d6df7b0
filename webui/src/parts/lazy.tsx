// Parts of the page that are fetched when they are first shown, so that the first screen stays small.
import { useEffect, useState } from 'preact/hooks'
import type { ComponentType } from 'preact'
import { Spinner } from './icon'

/** Makes a component of one that has to be fetched. load names the component: () => import('./graph').then((m) => m.Graph).
 * quiet: nothing is shown until it is there, and nothing when it cannot be had. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>, quiet = false): ComponentType<P> {
  let found: ComponentType<P> | null = null
  return function Later(props: P) {
    const [, again] = useState(0)
    const [failed, setFailed] = useState(false)
    const fetch = () => {
      setFailed(false)
      load().then((component) => {
        found = component
        again((n) => n + 1)
      }, () => setFailed(true))
    }
    useEffect(() => {
      if (!found) fetch()
    }, [])
    if (found) {
      const Found = found
      return <Found {...props} />
    }
    if (quiet) return null
    return failed
      ? <section class="card center"><p>This part of the page could not be loaded.</p><button type="button" class="btn" onClick={fetch}>Try again</button></section>
      : <p class="center muted"><Spinner /></p>
  }
}
