// A print whose file is being made ready: the curves of a long file take a while.
import { asking, perform, state } from '../state'
import { Spinner } from './icon'
import { May } from './may'

export function PreparingCard() {
  const p = state.value?.preparing
  if (!p) return null
  return (
    <section class="card center" role="status" aria-label="Preparing">
      <p class="wrap"><Spinner /> <strong>Preparing {p.name}…</strong></p>
      <p class="muted">Its curves become arcs. Nothing is sent to the printer yet.</p>
      <May><button type="button" class="btn" disabled={asking('preparing') !== null} onClick={() => void perform('preparing', { do: 'cancel', job: '' })}>Cancel</button></May>
    </section>
  )
}
