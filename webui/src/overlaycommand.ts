// The commands of the page "Away from home". They change who can come in, so layerd may want to know first that it is really you.
import { confirmed } from './confirm'
import { notify, perform } from './state'
import type { Answer, Doing } from './wire'

/** Every command of these pages goes this way. Null: the person gave up. Errors are shown as a notice, unless quiet. */
export async function command(doing: Extract<Doing, { do: 'set_overlay' | 'overlay_login' | 'overlay_leave' }>, quiet = false): Promise<Answer | null> {
  const answer = await confirmed(() => perform('overlay', doing, true))
  if (answer?.error && !quiet) notify('error', answer.error.message, answer.error.next)
  return answer
}
