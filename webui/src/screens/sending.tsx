// How files go to the printer: with curves as arcs, or as they are.
import { useEffect, useState } from 'preact/hooks'
import { Icon, Spinner } from '../parts/icon'
import { allowed, asking, choices, live, loadChoices, perform, state } from '../state'
import type { ApiError } from '../wire'

export function SendingScreen() {
  const up = live.value
  const connected = state.value?.connection.since_ms // another printer may know other things
  useEffect(() => {
    if (up) void loadChoices()
  }, [up, connected])
  const [error, setError] = useState<ApiError | null>(null)
  const all = choices.value
  if (!all) return <p class="center muted"><Spinner /></p>
  const asked = asking('arcs')
  const on = asked?.do === 'set_fit_arcs' ? asked.on : all.fit_arcs
  const set = async (to: boolean) => {
    const answer = await perform('arcs', { do: 'set_fit_arcs', on: to }, true)
    setError(answer.error)
    await loadChoices()
  }
  return (
    <section class="card" aria-label="Arcs">
      <h2>Curves as arcs</h2>
      <label class="check"><input type="checkbox" checked={on} disabled={!up || !allowed('owner') || asked !== null} aria-describedby="about-arcs" onChange={(event) => void set(event.currentTarget.checked)} /> Print curves as arcs</label>
      <p id="about-arcs" class="muted">Slicers draw a curve with many short lines. layerd can print a copy of the file in which one arc stands for some of them, nowhere more than 0.05 mm off: fewer lines for a slow cable, and for a printer that stutters on curves. Only where the printer is not slower by it. It concerns prints that begin from now on; your files stay as they are.</p>
      {state.value?.state !== 'disconnected' && <p class="why"><Icon name="info" size={18} />{all.knows_arcs ? 'The firmware of this printer knows arcs.' : 'The firmware of this printer does not say that it knows arcs, so files are printed as they are.'}</p>}
      {error && <p class="problem" role="alert">{error.message} {error.next}</p>}
    </section>
  )
}
