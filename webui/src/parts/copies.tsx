// How often something is to be printed: minus, the number, plus.
import { Icon } from './icon'

export function Copies({ value, disabled, onChange }: { value: number; disabled: boolean; onChange: (copies: number) => void }) {
  return (
    <div class="copies" role="group" aria-label="Copies">
      <button type="button" class="icon-button step" aria-label="One copy less" disabled={disabled || value <= 1} onClick={() => onChange(value - 1)}><Icon name="minus" size={20} /></button>
      <output class="num" aria-live="polite">{value} ×</output>
      <button type="button" class="icon-button step" aria-label="One copy more" disabled={disabled || value >= 999} onClick={() => onChange(value + 1)}><Icon name="plus" size={20} /></button>
    </div>
  )
}
