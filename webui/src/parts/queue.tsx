// The queue: in order, to be dragged by the handle, or moved by buttons. While a finger drags, nothing in the page's tree changes place (a browser
// would let go of it): the rows are only shifted. The new order is sent when the finger lifts.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { beforeAt, followQueue, queue, type Entry } from '../shelf'
import { allowed, asking, live, perform, state } from '../state'
import { duration } from '../units'
import { Copies } from './copies'
import { Icon, Spinner } from './icon'
import { Thumbnail } from './job'
import { May } from './may'
import { Next } from './next'

interface Drag {
  id: number
  from: number // its place
  to: number // where it would come to stand
  startY: number
  dy: number
  middles: number[] // of all rows as they were, in the page
  height: number // of the dragged row, with the gap
}

const edge = 110 // px of the window's upper and lower end, where the bars are
const rollPx = 9 // in a frame

export function Queue() {
  useEffect(followQueue, [])
  const [drag, setDrag] = useState<Drag | null>(null)
  const [order, setOrder] = useState<readonly number[] | null>(null) // as asked for, until layerd says so too
  const rows = useRef<HTMLOListElement>(null)
  const finger = useRef(0) // where it is in the window
  const pressed = useRef<{ id: number; way: string } | null>(null) // the button that moved a row, and may have lost the focus by that
  const [said, setSaid] = useState('')
  const dragging = drag !== null
  useEffect(() => { // a row that is held at the window's edge takes the page along
    if (!dragging) return
    let frame = 0
    const roll = () => {
      const by = finger.current < edge ? -rollPx : finger.current > innerHeight - edge ? rollPx : 0
      if (by !== 0) {
        scrollBy(0, by)
        setDrag((now) => now && dragged(now, finger.current))
      }
      frame = requestAnimationFrame(roll)
    }
    frame = requestAnimationFrame(roll)
    return () => cancelAnimationFrame(frame)
  }, [dragging])
  const all = queue.value
  const ids = all?.map((e) => e.id).join(' ')
  const busy = asking('queue') !== null
  useEffect(() => { // a list from before the move would put the row back for a moment, and take the focus from its button
    if (!busy || ids === order?.join(' ')) setOrder(null)
  }, [all])
  useLayoutEffect(() => { // with each new order, also that of a list from before the move, which came late, until the person goes elsewhere
    const { id, way } = pressed.current ?? {}
    const row = id === undefined ? null : rows.current?.querySelector(`[data-id="${id}"]`)
    const now = document.activeElement
    const elsewhere = now && now !== document.body && !now.matches(':disabled') && !row?.contains(now)
    if (!row || elsewhere) {
      pressed.current = null
      return
    }
    const button = row.querySelector<HTMLButtonElement>(`[data-way=${way ?? ''}]:enabled`) ?? row.querySelector<HTMLButtonElement>('[data-way]:enabled')
    button?.focus()
  }, [order, ids, live.value])
  if (!all) return <p class="center muted"><Spinner /></p>
  if (all.length === 0) {
    return (
      <section class="card center">
        <Icon name="queue" size={32} />
        <p>The queue is empty.</p>
        <p class="muted">Open a file and add it to the queue. Each one waits until somebody says that the bed is clear.</p>
      </section>
    )
  }
  const shown = order ? order.flatMap((id) => all.find((e) => e.id === id) ?? []) : all
  const may = live.value && allowed('operator')
  const move = (id: number, to: number) => {
    const now = shown.map((e) => e.id)
    const before = beforeAt(now, id, to)
    const rest = now.filter((one) => one !== id)
    setOrder([...rest.slice(0, to), id, ...rest.slice(to)])
    setSaid(`${shown.find((e) => e.id === id)?.name ?? ''} is now number ${to + 1} of ${now.length}.`)
    void perform('queue', { do: 'queue_move', entry: id, before }).then((answer) => {
      if (answer.error) setOrder(null)
    })
  }
  const begin = (event: PointerEvent, id: number, from: number) => {
    if (!may || event.button > 0 || !rows.current) return
    event.preventDefault()
    const boxes = [...rows.current.children].map((row) => row.getBoundingClientRect())
    const mine = boxes[from]
    if (!mine) return
    if (event.currentTarget instanceof Element) event.currentTarget.setPointerCapture(event.pointerId)
    const gap = boxes.length > 1 ? Math.abs((boxes[1]?.top ?? 0) - (boxes[0]?.bottom ?? 0)) : 0
    finger.current = event.clientY
    setDrag({ id, from, to: from, startY: event.clientY + scrollY, dy: 0, middles: boxes.map((b) => b.top + b.height / 2 + scrollY), height: mine.height + gap })
  }
  const follow = (event: PointerEvent) => {
    finger.current = event.clientY
    setDrag((now) => now && dragged(now, event.clientY))
  }
  const drop = () => {
    if (drag && drag.to !== drag.from) move(drag.id, drag.to)
    setDrag(null)
  }
  const shift = (i: number): number => {
    if (!drag) return 0
    if (i === drag.from) return drag.dy
    if (i > drag.from && i <= drag.to) return -drag.height
    return i < drag.from && i >= drag.to ? drag.height : 0
  }
  const first = shown[0]
  return (
    <section class="queue" aria-label="Queue">
      {first && state.value?.state === 'idle' && <Next key={first.id} entry={first} />}
      <ol ref={rows} class="queue-list">
        {shown.map((e, i) => (
          <li key={e.id} data-id={e.id} class={`card queue-row${drag?.from === i ? ' dragged' : ''}${drag ? ' moving' : ''}`} style={{ transform: drag ? `translateY(${shift(i)}px)` : '' }}>
            <Row e={e} place={i} last={i === shown.length - 1} may={may} onMove={(to) => {
                pressed.current = { id: e.id, way: to < i ? 'up' : 'down' }
                move(e.id, to)
              }}
              grip={<span class="grip" role="presentation" data-testid={`grip-${e.name}`} onPointerDown={(event) => begin(event, e.id, i)} onPointerMove={follow} onPointerUp={drop} onPointerCancel={() => setDrag(null)}><Icon name="grip" /></span>} />
          </li>
        ))}
      </ol>
      <p class="unseen" role="status">{said}</p>
    </section>
  )
}

/** The drag with the finger at y in the window. The row stays within the list: else it would make the page longer, and the page roll for ever. */
function dragged(drag: Drag, y: number): Drag {
  const { middles, from, height } = drag
  const at = middles[from] ?? 0
  const dy = Math.max((middles[0] ?? at) - at - height / 2, Math.min((middles.at(-1) ?? at) - at + height / 2, y + scrollY - drag.startY))
  return { ...drag, dy, to: placeAt(drag.middles, drag.from, dy) }
}

/** The place of a row that began at from and was dragged by dy: it takes another's when its middle passes the other's. */
export function placeAt(middles: readonly number[], from: number, dy: number): number {
  const at = (middles[from] ?? 0) + dy
  let to = from
  while (to + 1 < middles.length && at > (middles[to + 1] ?? 0)) to++
  while (to > 0 && at < (middles[to - 1] ?? 0)) to--
  return to
}

interface RowProps {
  e: Entry
  place: number
  last: boolean
  may: boolean
  grip: preact.JSX.Element
  onMove: (to: number) => void
}

function Row({ e, place, last, may, grip, onMove }: RowProps) {
  const busy = asking('queue') !== null
  return (
    <>
      <div class="queue-head">
        {may && grip}
        <Thumbnail path={e.file} version={e.sha256} size={48} has={e.thumbnail} />
        <span class="file-words">
          <strong class="wrap">{e.name}</strong>
          {e.gone
            ? <small class="gone"><Icon name="warn" size={16} /> This file is gone.</small>
            : <small class="num">{e.print ? 'being printed' : e.estimate_s > 0 ? duration(e.estimate_s) : ''}{e.by && `${e.print || e.estimate_s > 0 ? ' · ' : ''}by ${e.by}`}</small>}
        </span>
      </div>
      {!allowed('operator') && e.copies > 1 && <p class="queue-tools muted small num">{e.copies} copies</p>}
      <May><div class="queue-tools">
        <Copies value={e.copies} disabled={!may || busy} onChange={(copies) => void perform('queue', { do: 'queue_copies', entry: e.id, copies })} />
        <button type="button" class="icon-button" data-way="up" aria-label={`Move ${e.name} up`} disabled={!may || place === 0} onClick={() => onMove(place - 1)}><Icon name="up" size={20} /></button>
        <button type="button" class="icon-button" data-way="down" aria-label={`Move ${e.name} down`} disabled={!may || last} onClick={() => onMove(place + 1)}><Icon name="down" size={20} /></button>
        <button type="button" class="icon-button" aria-label={`Take ${e.name} out of the queue`} disabled={!may || busy} onClick={() => void perform('queue', { do: 'queue_remove', entry: e.id })}><Icon name="trash" size={20} /></button>
      </div></May>
    </>
  )
}
