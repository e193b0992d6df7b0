// The four corners of the bed, shown to the guard in the picture that its set-up has taken: with them the camera looks at the print, too, and not at head and bed alone. A finger is broad, so what is under
// it is seen bigger beside it; what is shown can be moved, by finger or by arrow keys.
import { useRef, useState } from 'preact/hooks'
import type { Guard } from '../guard'
import { whyNotOwner } from '../custom'
import { asking, live, notify, perform } from '../state'
import { set, wanted } from './guardchoice'
import { Icon, Spinner } from './icon'
import { Sheet } from './sheet'

type Place = readonly [number, number] // pixels of the picture

const names = ['front left', 'front right', 'back right', 'back left'] as const
const zoom = 4
const loupe = 120 // px of CSS
const near = 36 // px of CSS: a finger that comes down so near a corner moves that

/** Offers it, where the set-up has seen enough; and says what happens when the part has moved. */
export function CornersCard({ g, disabled }: { g: Guard; disabled: boolean }) {
  const [open, setOpen] = useState(false)
  if (!g.card || g.card.camera < 0 || g.bed_ms === 0) return null
  const busy = asking('guard') !== null
  const tell = !wanted(g).pause_part
  return (
    <section class="card" aria-label="When the part has moved">
      <h2>{g.corners ? 'When the part has moved' : 'Let it look at the print, too'}</h2>
      {g.corners
        ? <p>The camera looks at the print itself, too: when its newest layers lie beside the older ones and the endstops find the head right, the part may have come loose.</p>
        : <p>A part that has come loose moves while the head does not. The camera can notice that, too, when you show it the four corners of the bed in a picture.</p>}
      {g.corners && (
        <>
          <div class="segments" role="group" aria-label="When the part may have moved">
            <button type="button" aria-pressed={tell} disabled={disabled || busy || !live.value} onClick={() => set(g, { pause_part: false })}>Tell me</button>
            <button type="button" aria-pressed={!tell} disabled={disabled || busy || !live.value} onClick={() => set(g, { pause_part: true })}>Pause</button>
          </div>
          {!tell && wanted(g).mode !== 'pause' && <p class="muted small">Prints pause for it where they pause for a layer shift; now they do not.</p>}
        </>
      )}
      <div class="card-actions">
        <button type="button" class="btn" disabled={disabled} aria-haspopup="dialog" onClick={() => setOpen(true)}><Icon name="bed" size={20} /> {g.corners ? 'Show the corners again' : 'Show the corners'}</button>
      </div>
      {open && <CornersSheet g={g} onClose={() => setOpen(false)} />}
    </section>
  )
}

export function CornersSheet({ g, onClose }: { g: Guard; onClose: () => void }) {
  const [places, setPlaces] = useState<readonly Place[]>([])
  const [failed, setFailed] = useState(false)
  const why = whyNotOwner()
  const busy = asking('corners') !== null
  const next = names[places.length]
  const save = async () => {
    const answer = await perform('corners', { do: 'guard_corners', corners: places })
    if (answer.error) return
    notify('good', 'From now on the camera looks at the print, too.')
    onClose()
  }
  return (
    <Sheet title="Show the corners of the bed" onClose={onClose} firm>
      <p role="status">{next ? <>Touch the <strong>{next}</strong> corner of what can be printed on.</> : 'Look whether all four are right. You can still move them.'}</p>
      {failed
        ? <p class="why bar"><Icon name="camera" size={20} />The picture could not be loaded.</p>
        : <Corners places={places} src={`/v1/guard/bed?v=${g.bed_ms}`} onPlaces={setPlaces} onFailed={() => setFailed(true)} />}
      <p class="muted small">As you stand before the printer. The picture is of the set-up, when the bed was empty.</p>
      <div class="sheet-actions">
        <button type="button" class="btn primary" disabled={places.length < 4 || busy || why !== '' || !live.value} onClick={() => void save()}>{busy ? <Spinner /> : <Icon name="check" size={20} />} Keep them</button>
        <button type="button" class="btn" disabled={places.length === 0 || busy} onClick={() => setPlaces([])}><Icon name="undo" size={20} /> Begin anew</button>
        {why && <p class="why"><Icon name="lock" size={18} />{why}</p>}
      </div>
    </Sheet>
  )
}

interface CornersProps {
  places: readonly Place[]
  src: string
  onPlaces: (places: readonly Place[]) => void
  onFailed: () => void
}

/** Which one is under the finger, and where. */
interface Held { which: number; at: Place }

function Corners({ places, src, onPlaces, onFailed }: CornersProps) {
  const picture = useRef<HTMLImageElement>(null)
  const [held, setHeld] = useState<Held | null>(null)
  const [size, setSize] = useState<Place | null>(null)
  const within = (v: number, most: number) => Math.min(Math.max(v, 0), most)
  const at = (event: PointerEvent): { place: Place; scale: number } | null => {
    const box = picture.current?.getBoundingClientRect()
    if (!box || !size || box.width === 0) return null
    const scale = size[0] / box.width // pixels of the picture to one of CSS
    return { place: [within((event.clientX - box.left) * scale, size[0]), within((event.clientY - box.top) * scale, size[1])], scale }
  }
  const grab = (event: PointerEvent) => {
    const found = at(event)
    if (!found || !(event.currentTarget instanceof HTMLElement)) return
    const far = places.map(([x, y]) => Math.hypot(x - found.place[0], y - found.place[1]) / found.scale)
    const least = Math.min(...far)
    const which = least < near ? far.indexOf(least) : places.length
    if (which >= names.length) return
    event.preventDefault()
    event.currentTarget.setPointerCapture?.(event.pointerId)
    setHeld({ which, at: found.place })
  }
  const put = (which: number, place: Place) => onPlaces(which === places.length ? [...places, place] : places.map((p, i) => (i === which ? place : p)))
  const shown = held ? (held.which === places.length ? [...places, held.at] : places.map((p, i) => (i === held.which ? held.at : p))) : places
  const percent = ([x, y]: Place) => (size ? { left: `${(100 * x) / size[0]}%`, top: `${(100 * y) / size[1]}%` } : {})
  const step = (event: KeyboardEvent, which: number, [x, y]: Place) => {
    const far = event.shiftKey ? 10 : 1
    const by: Record<string, Place> = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }
    const go = by[event.key]
    if (!go || !size) return
    event.preventDefault()
    put(which, [within(x + go[0], size[0]), within(y + go[1], size[1])])
  }
  return (
    <div class="corners" data-testid="corners" onPointerDown={grab}
      onPointerMove={(event) => {
        const found = held && at(event)
        if (held && found) setHeld({ which: held.which, at: found.place })
      }}
      onPointerUp={() => {
        if (held) put(held.which, held.at)
        setHeld(null)
      }}
      onPointerCancel={() => setHeld(null)}>
      <img ref={picture} src={src} alt="The printer in the set-up, its bed empty" draggable={false} onError={onFailed} onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => setSize([naturalWidth || 4, naturalHeight || 3])} />
      {!size && <span class="blink-waits"><Spinner /></span>}
      {size && shown.length > 1 && (
        <svg viewBox={`0 0 ${size[0]} ${size[1]}`} aria-hidden="true"><polygon points={shown.map((p) => p.join(',')).join(' ')} vector-effect="non-scaling-stroke" /></svg>
      )}
      {shown.map((place, i) => (
        <button key={names[i]} type="button" class="corner" style={percent(place)} aria-label={`${names[i]} corner, ${Math.round(place[0])}, ${Math.round(place[1])}; arrow keys move it`} onKeyDown={(event) => step(event, i, place)}><span>{i + 1}</span></button>
      ))}
      {held && size && <Loupe src={src} size={size} at={held.at} left={held.at[0] > size[0] / 2} />}
    </div>
  )
}

/** What is under the finger, bigger, on the other side of the picture. */
function Loupe({ src, size, at, left }: { src: string; size: Place; at: Place; left: boolean }) {
  const scale = Math.max(zoom * 320 / size[0], 1) // px of CSS to one of the picture
  const style = {
    width: `${loupe}px`, height: `${loupe}px`, backgroundImage: `url("${src}")`, backgroundSize: `${size[0] * scale}px ${size[1] * scale}px`,
    backgroundPosition: `${loupe / 2 - at[0] * scale}px ${loupe / 2 - at[1] * scale}px`,
  }
  return <span class={`loupe ${left ? 'at-left' : 'at-right'}`} style={style} aria-hidden="true" data-testid="loupe" />
}
