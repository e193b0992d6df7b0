// Two pictures of one place, before and now, one upon the other: a slider fades from one to the other, and holding the button shows the earlier one.
// Nothing blinks by itself: it changes as fast as the hand does.
import { useId, useState } from 'preact/hooks'
import { pictureURL, type Arrow } from '../guard'
import { trim } from '../units'
import { Icon, Spinner } from './icon'

interface BlinkProps {
  id: number // of the evidence
  crop: readonly number[] // where to look: left, top, width, height, as parts of 1
  arrows?: readonly Arrow[] // what has moved, and to which side
  layers?: readonly [number, number] // after which they were taken; 0 unknown
  /** It was long ago: the second picture is not of now. */
  past?: boolean
}

const highest = 36 // of the screen's height, in percent

interface Size { width: number; height: number }

/** The crop as it can be shown: the whole picture for one that makes no sense. */
export function place(crop: readonly number[]): { left: number; top: number; width: number; height: number } {
  const [left = 0, top = 0, width = 1, height = 1] = crop
  const good = left >= 0 && top >= 0 && width > 0.01 && height > 0.01 && left + width <= 1.001 && top + height <= 1.001
  return good ? { left, top, width, height } : { left: 0, top: 0, width: 1, height: 1 }
}

export function Blink({ id, crop, arrows = [], layers = [0, 0], past = false }: BlinkProps) {
  const later = past ? 'Then' : 'Now'
  const label = useId()
  const [now, setNow] = useState(100) // percent of the present picture
  const [held, setHeld] = useState(false)
  const [whole, setWhole] = useState(false)
  const [size, setSize] = useState<Size | null>(null)
  const [failed, setFailed] = useState(false)
  if (failed) return <p class="why"><Icon name="camera" size={18} />The pictures could not be loaded.</p>
  const part = place(crop)
  const cut = part.width < 0.99 || part.height < 0.99
  const { left, top, width, height } = whole ? place([]) : part
  const share = held ? 0 : now
  const shape = { width: `${100 / width}%`, height: `${100 / height}%`, left: `${(-100 * left) / width}%`, top: `${(-100 * top) / height}%` }
  const ratio = size ? (size.width * width) / (size.height * height) : 4 / 3
  return (
    <div class="blink">
      <div class="blink-picture" style={{ aspectRatio: String(ratio), maxWidth: `${Math.round(highest * ratio)}dvh` }}>
        <img src={pictureURL(id, 'before')} alt="Before: the last picture on which all was right" style={shape} onError={() => setFailed(true)}
          onLoad={(event) => setSize({ width: event.currentTarget.naturalWidth || 4, height: event.currentTarget.naturalHeight || 3 })} />
        <img src={pictureURL(id, 'after')} alt={`${later}: the picture on which it was found`} style={{ ...shape, opacity: share / 100 }} onError={() => setFailed(true)} />
        {size && arrows.length > 0 && <Arrows arrows={arrows} size={size} part={whole ? place([]) : part} style={{ ...shape, opacity: share / 100 }} />}
        {!size && <span class="blink-waits"><Spinner /></span>}
        <span class="blink-says" data-testid="blink-says" aria-live="off">{share === 0 ? 'Before' : share === 100 ? later : `${100 - share} % before`}</span>
      </div>
      {layers[0] > 0 && layers[1] > 0 && <p class="muted small num">Before: after layer {layers[0]}. {later}: after layer {layers[1]}.</p>}
      {arrows.length > 0 && <p class="muted small num">The arrow shows which way: {arrows.map(nameOf).join(', ')}. It is drawn longer than that.</p>}
      <div class="blink-slider">
        <label for={label}>Before</label>
        <input id={label} type="range" min={0} max={100} step={5} value={now} aria-valuetext={now === 0 ? 'before' : now === 100 ? later : `${100 - now} percent before`} onInput={(event) => setNow(Number(event.currentTarget.value))} />
        <span aria-hidden="true">{later}</span>
      </div>
      <div class="button-row">
        <Held onHeld={setHeld} held={held} />
        {cut && <button type="button" class="btn" aria-pressed={whole} onClick={() => setWhole(!whole)}><Icon name="search" size={20} /> {whole ? 'Closer' : 'Whole picture'}</button>}
      </div>
    </div>
  )
}

const nameOf = ({ axis, mm }: Arrow) => `${axis.toUpperCase()} ${trim(Math.abs(mm), 1)} mm`

/** An arrow in pixels of the picture: from where to where, and where its words stand. */
export interface Drawn { from: [number, number]; to: [number, number]; words: [number, number]; unit: number; text: string }

/** Lays an arrow out, so that it and its words are within the part of the picture that is shown; null without a direction. unit is about a pixel of the screen. */
export function drawn(a: Arrow, { width, height }: Size, part: ReturnType<typeof place>): Drawn | null {
  const [dx, dy] = [(a.by[0] ?? 0) * width, (a.by[1] ?? 0) * height]
  const far = Math.hypot(dx, dy)
  if (!(far > 0)) return null
  const [x, y] = [dx / far, dy / far]
  const [w, h] = [part.width * width, part.height * height]
  const unit = Math.max(w / 320, h / 260)
  const half = Math.max(far, Math.min(60 * unit, 0.35 * w, 0.35 * h)) / 2
  const within = (v: number, from: number, size: number, room: number) => room * 2 > size ? from + size / 2 : Math.min(Math.max(v, from + room), from + size - room)
  const text = nameOf(a)
  const wide = text.length * 4.2 * unit // half the words
  const beside = half + 2 * wide + 12 * unit
  const ahead = 2 * beside <= w // else they stand below it
  const cx = within((a.at[0] ?? 0.5) * width, part.left * width, w, ahead ? beside : Math.max(half, wide) + 4 * unit)
  const cy = within((a.at[1] ?? 0.5) * height, part.top * height, h, half + 30 * unit)
  const beyond = half + 10 * unit
  const words: [number, number] = ahead ? [cx + x * (beyond + Math.abs(x) * wide), cy + y * (beyond + 6 * unit) + 5 * unit] : [cx, cy + Math.abs(y) * half + 24 * unit]
  return { from: [cx - x * half, cy - y * half], to: [cx + x * half, cy + y * half], words, unit, text }
}

function Arrows({ arrows, size, part, style }: { arrows: readonly Arrow[]; size: Size; part: ReturnType<typeof place>; style: Record<string, string | number> }) {
  return (
    <svg class="blink-arrows" style={style} viewBox={`0 0 ${size.width} ${size.height}`} preserveAspectRatio="none" aria-hidden="true">
      {arrows.map((a) => {
        const d = drawn(a, size, part)
        if (!d) return null
        const turn = (Math.atan2(d.to[1] - d.from[1], d.to[0] - d.from[0]) * 180) / Math.PI
        const u = d.unit
        const line = `M${d.from.join(' ')}L${d.to.join(' ')}`
        const head = `translate(${d.to.join(' ')}) rotate(${turn}) scale(${u})`
        return (
          <g key={a.axis}>
            {['under', 'over'].map((layer) => <g key={layer} class={layer}><path d={line} /><path transform={head} d="M-10-8L1 0L-10 8" /></g>)}
            <text x={d.words[0]} y={d.words[1]} font-size={15 * u} stroke-width={4 * u} text-anchor="middle">{d.text}</text>
          </g>
        )
      })}
    </svg>
  )
}

/** Shows the earlier picture while it is held, by finger, mouse, Enter or Space. A click without any of them, as a screen reader makes, changes it over. */
function Held({ held, onHeld }: { held: boolean; onHeld: (held: boolean) => void }) {
  const isPress = (event: KeyboardEvent) => event.key === 'Enter' || event.key === ' '
  return (
    <button type="button" class="btn hold-look" aria-pressed={held}
      onPointerDown={(event) => {
        if (event.button === 0) onHeld(true)
      }}
      onPointerUp={() => onHeld(false)}
      onPointerLeave={() => onHeld(false)}
      onPointerCancel={() => onHeld(false)}
      onBlur={() => onHeld(false)}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (!isPress(event)) return
        event.preventDefault()
        onHeld(true)
      }}
      onKeyUp={(event) => {
        if (isPress(event)) onHeld(false)
      }}
      onClick={(event) => {
        if (event.detail === 0) onHeld(!held)
      }}>
      <Icon name="clock" size={20} /> Hold: before
    </button>
  )
}
