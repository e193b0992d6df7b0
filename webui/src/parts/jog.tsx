// The pad that moves the head: X and Y as a cross with home in its middle, Z beside it.
import { Icon, type IconName } from './icon'

type Axis = 'x' | 'y' | 'z'

interface JogProps {
  step: number // mm
  disabled: boolean
  noHomeZ: boolean
  busy: boolean
  onJog: (axis: Axis, byMM: number) => void
  onHome: (axes: string) => void
}

const arrows: readonly { axis: Axis; sign: 1 | -1; icon: IconName; place: string; text: string }[] = [
  { axis: 'y', sign: 1, icon: 'up', place: 'n', text: 'Y+' },
  { axis: 'x', sign: -1, icon: 'left', place: 'w', text: 'X−' },
  { axis: 'x', sign: 1, icon: 'right', place: 'e', text: 'X+' },
  { axis: 'y', sign: -1, icon: 'down', place: 's', text: 'Y−' },
  { axis: 'z', sign: 1, icon: 'up', place: 'zu', text: 'Z+' },
  { axis: 'z', sign: -1, icon: 'down', place: 'zd', text: 'Z−' },
]

export function JogPad({ step, disabled, noHomeZ, busy, onJog, onHome }: JogProps) {
  return (
    <div class={`jog${busy ? ' busy' : ''}`} role="group" aria-label="Jog">
      {arrows.map(({ axis, sign, icon, place, text }) => (
        <button key={place} type="button" class={`jog-button at-${place}`} disabled={disabled} aria-label={`${axis.toUpperCase()} ${sign > 0 ? 'plus' : 'minus'} ${step} mm`} onClick={() => onJog(axis, sign * step)}>
          <Icon name={icon} /><span aria-hidden="true">{text}</span>
        </button>
      ))}
      <button type="button" class="jog-button at-home" disabled={disabled} aria-label="Home X and Y" onClick={() => onHome('xy')}><Icon name="home" /></button>
      <button type="button" class="jog-button at-zh" disabled={disabled || noHomeZ} aria-label="Home Z axis" onClick={() => onHome('z')}><Icon name="home" /></button>
    </div>
  )
}
