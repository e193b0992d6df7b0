// For pages that show a list of layerd's and change it: loading, acting, and what went wrong.
import { useEffect, useState } from 'preact/hooks'
import { Refused } from './api'
import { confirmed } from './confirm'
import { refusedBy } from './door'
import { complain, live, loggedIn } from './state'
import type { ApiError } from './wire'

/** What load brings, null until it came; and a way to load it again. It is loaded again when the link is back, and when one of deps changes. */
export function useLoaded<T>(load: () => Promise<T>, deps: readonly unknown[] = []): [T | null, () => Promise<void>] {
  const [value, setValue] = useState<T | null>(null)
  const up = live.value
  const again = async () => {
    try {
      setValue(await load())
    } catch (error) {
      if (!(error instanceof Refused && error.status === 0)) complain(error) // status 0: the link is lost, and says so
    }
  }
  useEffect(() => {
    if (up) void again()
  }, [up, ...deps])
  return [value, again]
}

/** Runs one thing at a time, asking who it is where layerd wants that. act gives null when it was refused, which error then says, or given up. */
export function useAct() {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const act = async <T>(run: () => Promise<T>): Promise<T | null> => {
    setBusy(true)
    setError(null)
    try {
      return await confirmed(run)
    } catch (thrown) {
      const refused = refusedBy(thrown)
      if (refused.status === 401) loggedIn.value = false
      setError(refused.error)
      return null
    } finally {
      setBusy(false)
    }
  }
  return { busy, error, act }
}
