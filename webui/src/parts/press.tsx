// The buttons that the owner has made, in their groups, on the Move screen. One may ask first, and for a number.
import { useId, useState } from 'preact/hooks'
import { readButtons, useKept } from '../custom'
import { allowed, asking, live, notify, perform, state } from '../state'
import { typed } from '../units'
import { whyNot } from '../words'
import type { CustomButton } from '../wire'
import { Icon, Spinner } from './icon'
import { Sheet } from './sheet'

const press = async (button: CustomButton, value?: number) => {
  const answer = await perform(`press${button.id}`, value === undefined ? { do: 'press', button: button.id } : { do: 'press', button: button.id, value })
  if (!answer.error) notify('good', `${button.label}: sent.`)
}

export function CustomButtons() {
  const kept = useKept('/v1/buttons', readButtons)
  const [asked, setAsked] = useState<CustomButton | null>(null)
  const s = state.value
  if (!kept || !s) return null
  const disabled = whyNot(s, live.value, allowed, 'connected') !== ''
  return (
    <>
      {kept.groups.filter((group) => group.buttons.length > 0).map((group, i) => (
        <section key={i} class="card" aria-label={group.name}>
          <h2 class="wrap">{group.name}</h2>
          <div class="button-row presets">
            {group.buttons.map((button) => (
              <button key={button.id} type="button" class="btn wrap" disabled={disabled || asking(`press${button.id}`) !== null} aria-haspopup={button.confirm || button.number ? 'dialog' : undefined}
                onClick={() => (button.confirm || button.number ? setAsked(button) : void press(button))}>
                {asking(`press${button.id}`) !== null && <Spinner />}<span>{button.label}</span>
              </button>
            ))}
          </div>
        </section>
      ))}
      {asked && <Ask button={asked} onClose={() => setAsked(null)} />}
    </>
  )
}

/** Steps from the least number, so that floats do not show. */
function round(v: number): number {
  return Math.round(v * 1000) / 1000
}

export function Ask({ button, onClose }: { button: CustomButton; onClose: () => void }) {
  const id = useId()
  const n = button.number
  const [text, setText] = useState(n ? String(n.default) : '')
  const value = typed(text)
  const outside = n !== null && (Number.isNaN(value) || value < n.min || value > n.max)
  const problem = outside ? `Allowed is ${n.min} to ${n.max}${n.unit && ` ${n.unit}`}.` : ''
  const step = (by: number) => n && setText(String(round(Math.max(n.min, Math.min(n.max, (Number.isNaN(value) ? n.default : value) + by)))))
  return (
    <Sheet title={button.label} role={button.confirm ? 'alertdialog' : 'dialog'} firm={button.confirm !== ''} onClose={onClose}>
      <form onSubmit={(event) => {
        event.preventDefault()
        if (outside) return
        onClose()
        void press(button, n ? value : undefined)
      }}>
        {button.confirm && <p class="wrap">{button.confirm}</p>}
        {n && (
          <div class="field">
            <label for={id}>{n.label}{n.unit && `, ${n.unit}`}</label>
            <div class="percent-row">
              <button type="button" class="icon-button step" aria-label={`${n.label} minus ${n.step}`} disabled={value <= n.min} onClick={() => step(-n.step)}><Icon name="minus" /></button>
              <input id={id} type="text" inputMode="decimal" autocomplete="off" value={text} aria-invalid={outside} aria-describedby={`${id}p`} onInput={(event) => setText(event.currentTarget.value)} />
              <button type="button" class="icon-button step" aria-label={`${n.label} plus ${n.step}`} disabled={value >= n.max} onClick={() => step(n.step)}><Icon name="plus" /></button>
            </div>
            <p id={`${id}p`} class="problem" aria-live="polite">{problem}</p>
          </div>
        )}
        <div class="sheet-actions">
          <button type="submit" class="btn primary wrap" disabled={outside}>{button.label}</button>
          <button type="button" class="btn" onClick={onClose}>Not now</button>
        </div>
      </form>
    </Sheet>
  )
}
