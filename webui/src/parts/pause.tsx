// Why the print stands still, what the printer asks, and how filament is changed by hand. All texts of a file or a firmware are shown as text.
import { useEffect, useId, useRef } from 'preact/hooks'
import { asking, perform } from '../state'
import { celsius } from '../units'
import { pauseText } from '../words'
import type { PauseInfo, Prompt, State } from '../wire'
import { Icon, Spinner } from './icon'

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
      <div class="answers">
        {prompt.buttons.map((text, i) => (
          <button key={`${prompt.id} ${i}`} type="button" class={`btn wrap${tapped === i ? ' busy' : ''}`} disabled={!enabled || tapped !== null} onClick={() => answer(i)}>
            {tapped === i && <Spinner />}{text || `Answer ${i + 1}`}
          </button>
        ))}
        {prompt.buttons.length === 0 && <button type="button" class="btn" disabled={!enabled || tapped !== null} onClick={() => answer(-1)}>Close</button>}
      </div>
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
      {!pause.held && !parked && <p>The head is still moving. It parks.</p>}
      {!pause.held && parked && (pause.filament ? <Steps s={s} enabled={enabled} /> : <p>The head is parked. Tap Resume when you are done.</p>)}
    </section>
  )
}

// Lengths in mm, each at the profile's slow speed. A longer way takes more taps: how long it is differs from printer to printer.
const steps = [
  { title: 'Unload', text: 'Tap until the old one comes out, or pull when it is loose.', button: 'Unload 100 mm', by_mm: -100 },
  { title: 'Load', text: 'Push the new one in until the gears grip it, then tap until it melts out.', button: 'Load 50 mm', by_mm: 50 },
  { title: 'Purge', text: 'Until the colour is clean.', button: 'Purge 20 mm', by_mm: 20 },
] as const

/** Changing the filament by hand, while the head is parked. */
function Steps({ s, enabled }: { s: State; enabled: boolean }) {
  const id = useId()
  const hottest = s.nozzles.reduce((best, h) => (h.actual_c > best.actual_c ? h : best), s.nozzles[0] ?? { actual_c: 0, target_c: 0 })
  const hot = hottest.actual_c >= s.profile.min_extrude_c
  const asked = asking('extrude')
  return (
    <ol class="steps">
      <li>
        <div><strong>Heat</strong><p id={id}>{hot
          ? `The nozzle stays hot: ${celsius(hottest.actual_c)}.`
          : `The nozzle is at ${celsius(hottest.actual_c)}, and filament moves at ${celsius(s.profile.min_extrude_c)} or more. Set its temperature below.`}</p></div>
      </li>
      {steps.map(({ title, text, button, by_mm }) => {
        const busy = asked?.do === 'extrude' && asked.by_mm === by_mm
        return (
          <li key={title}>
            <div><strong>{title}</strong><p>{text}</p></div>
            <button type="button" class={`btn small${busy ? ' busy' : ''}`} aria-describedby={hot ? undefined : id} disabled={!enabled || !hot || busy} onClick={() => void perform('extrude', { do: 'extrude', by_mm })}>
              {busy && <Spinner />}{button}
            </button>
          </li>
        )
      })}
      <li><div><strong>Go on</strong><p>Take away what came out, then tap Resume.</p></div></li>
    </ol>
  )
}
