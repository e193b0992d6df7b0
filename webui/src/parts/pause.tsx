// Why the print stands still, and what the printer asks. All texts of a file or a firmware are shown as text.
import { useEffect, useId, useRef } from 'preact/hooks'
import { asking, perform } from '../state'
import { pauseText } from '../words'
import type { PauseInfo, Prompt, State } from '../wire'
import { Icon, Spinner } from './icon'
import { lazy } from './lazy'
import { May } from './may'

const SpoolChoice = lazy(() => import('./change').then((m) => m.SpoolChoice))
const ChangeSteps = lazy(() => import('./change').then((m) => m.ChangeSteps))

/** What the firmware asks. The answer is one tap; whatever comes next, another question or a print that goes on, takes its place. */
export function PromptCard({ prompt, enabled }: { prompt: Prompt; enabled: boolean }) {
  const id = useId()
  const card = useRef<HTMLElement>(null)
  useEffect(() => { // only if the focus is nowhere: nobody is to lose what they are typing or reading
    if (document.activeElement === null || document.activeElement === document.body) card.current?.focus({ preventScroll: true })
  }, [prompt.id])
  const asked = asking('prompt')
  const tapped = asked?.do === 'answer' && asked.prompt === prompt.id ? asked.button : null
  const answer = (button: number) => void perform('prompt', { do: 'answer', prompt: prompt.id, button })
  return (
    <section ref={card} class="card ask" role="group" aria-labelledby={id} tabIndex={-1} data-testid="prompt">
      <p class="kicker"><Icon name="info" size={20} /> The printer {prompt.buttons.length > 0 ? 'asks' : 'says'}</p>
      <h2 id={id} class="wrap">{prompt.text || 'What now?'}</h2>
      <May><div class="answers">
        {prompt.buttons.map((text, i) => (
          <button key={`${prompt.id} ${i}`} type="button" class={`btn wrap${tapped === i ? ' busy' : ''}`} disabled={!enabled || tapped !== null} onClick={() => answer(i)}>
            {tapped === i && <Spinner />}{text || `Answer ${i + 1}`}
          </button>
        ))}
        {prompt.buttons.length === 0 && <button type="button" class="btn" disabled={!enabled || tapped !== null} onClick={() => answer(-1)}>Close</button>}
      </div></May>
    </section>
  )
}

/** The reason of a pause that nobody tapped, and what to do. */
export function PauseCard({ s, pause, enabled }: { s: State; pause: PauseInfo; enabled: boolean }) {
  const why = pauseText(pause)
  if (!why || s.state === 'resuming' || s.state === 'cancelling') return null
  const parked = s.state === 'paused'
  return (
    <section class="card notice-card" aria-label="Pause" data-testid="pause">
      {pause.message && <p class="kicker">{why}</p>}
      <h2 class="wrap"><Icon name="pause" /> {pause.message || why}</h2>
      {pause.held && <p>The printer leads through it: {s.prompt ? 'answer its question above' : 'it asks here or on its display'}. If nothing is asked, Resume lets it go on.</p>}
      {pause.held && pause.filament && <May><SpoolChoice tool={0} enabled={enabled} /></May>}
      {!pause.held && !parked && <p>The head is still moving. It parks.</p>}
      {!pause.held && parked && <May>{pause.filament ? <ChangeSteps s={s} enabled={enabled} /> : <p>The head is parked. Tap Resume when you are done.</p>}</May>}
    </section>
  )
}
