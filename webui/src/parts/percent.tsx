// A percentage to set: minus, slider, plus. While a finger drags it the State does not move it; it is sent on letting go.
import { useId, useState } from 'preact/hooks'
import { asking, perform } from '../state'
import { Icon, Spinner, type IconName } from './icon'

interface PercentProps {
  label: string
  icon: IconName
  doing: 'set_fan' | 'set_speed' | 'set_flow'
  value: number
  min: number
  max: number
  step: number
  disabled: boolean
}

export function Percent({ label, icon, doing, value, min, max, step, disabled }: PercentProps) {
  const id = useId()
  const [draft, setDraft] = useState<number | null>(null)
  const asked = asking(doing)
  const wanted = asked && 'percent' in asked ? asked.percent : null
  const current = Math.round(draft ?? wanted ?? value)
  const set = (next: number) => {
    setDraft(null)
    void perform(doing, { do: doing, percent: Math.max(min, Math.min(max, next)) })
  }
  return (
    <div class="percent">
      <div class="percent-head">
        <Icon name={icon} size={20} />
        <label for={id}>{label}</label>
        <output class={wanted !== null ? 'pending' : ''}>{wanted !== null && <Spinner />}{current} %</output>
      </div>
      <div class="percent-row">
        <button type="button" class="icon-button step" aria-label={`${label} minus ${step} %`} disabled={disabled || current <= min} onClick={() => set(current - step)}><Icon name="minus" /></button>
        <input id={id} type="range" min={min} max={max} step={1} value={current} disabled={disabled} aria-valuetext={`${current} percent`}
          onInput={(event) => setDraft(Number(event.currentTarget.value))}
          onChange={(event) => set(Number(event.currentTarget.value))} />
        <button type="button" class="icon-button step" aria-label={`${label} plus ${step} %`} disabled={disabled || current >= max} onClick={() => set(current + step)}><Icon name="plus" /></button>
      </div>
    </div>
  )
}

/** The same with a few values to tap, for the sheet of a tile. */
export function PercentWithChips({ chips, ...props }: PercentProps & { chips: readonly number[] }) {
  return (
    <>
      <Percent {...props} />
      <div class="chips">
        {chips.map((value) => <button key={value} type="button" class="chip" disabled={props.disabled} onClick={() => void perform(props.doing, { do: props.doing, percent: value })}>{value === 0 ? 'Off' : `${value} %`}</button>)}
      </div>
    </>
  )
}

export const fan = { label: 'Fan', icon: 'fan', doing: 'set_fan', min: 0, max: 100, step: 10, chips: [0, 50, 100] } as const
export const speed = { label: 'Speed', icon: 'speed', doing: 'set_speed', min: 10, max: 300, step: 5, chips: [50, 75, 100, 125, 150] } as const
export const flow = { label: 'Flow', icon: 'flow', doing: 'set_flow', min: 50, max: 150, step: 1, chips: [95, 100, 105] } as const
