// The objects of the print under way: where they are on the bed, which is printed just now, and which are skipped. A tap on one asks whether to skip it.
import { useId, useState } from 'preact/hooks'
import { useLoaded } from '../acting'
import { getObjects, middle, outline, spread, type PrintedObject } from '../objects'
import { asking, perform, state } from '../state'
import type { Job, State } from '../wire'
import { Icon, Spinner } from './icon'
import { Sheet } from './sheet'
import '../style/objects.css'

interface ObjectsProps { job: Job; profile: State['profile']; enabled: boolean; onClose: () => void }

export function ObjectsSheet({ job, profile, enabled, onClose }: ObjectsProps) {
  const [all] = useLoaded(() => getObjects(job.file), [job.id])
  const [chosen, setChosen] = useState(-1)
  const one = all?.objects[chosen]
  const ask = (i: number) => {
    if (enabled && !job.left_out.includes(i)) setChosen(i)
  }
  return (
    <Sheet title={one ? job.skipped.includes(chosen) ? 'Print it after all?' : 'Skip this object?' : 'Objects'} onClose={one ? () => setChosen(-1) : onClose}>
      {!all && <p class="center muted"><Spinner /></p>}
      {all && !one && (
        <>
          <BedMap objects={all.objects} job={job} profile={profile} onTap={ask} />
          <ul class="object-list">
            {all.objects.map((o, i) => <Row key={i} n={i} object={o} job={job} enabled={enabled} onTap={() => ask(i)} />)}
          </ul>
        </>
      )}
      {one && <Question job={job} n={chosen} name={one.name} enabled={enabled} onEnd={() => setChosen(-1)} />}
    </Sheet>
  )
}

function Question({ job, n, name, enabled, onEnd }: { job: Job; n: number; name: string; enabled: boolean; onEnd: () => void }) {
  const back = job.skipped.includes(n)
  const act = () => {
    onEnd()
    void perform(`object ${n}`, { do: back ? 'keep_object' : 'skip_object', job: job.id, object: n })
  }
  return (
    <>
      {back
        ? <p><strong class="wrap">{name}</strong> is skipped, but nothing of it is missing yet.</p>
        : <p>Skip <strong class="wrap">{name}</strong>? It will not be finished. The others are printed as before.</p>}
      <div class="sheet-actions">
        <button type="button" class={`btn ${back ? 'primary' : 'danger solid'}`} disabled={!enabled} onClick={act}>{back ? 'Print it' : 'Skip it'}</button>
        <button type="button" class="btn" onClick={onEnd}>{back ? 'Leave it skipped' : 'Keep printing it'}</button>
      </div>
    </>
  )
}

/** What is to be said of an object. */
function statusOf(job: Job, n: number): string {
  if (job.left_out.includes(n)) return 'Skipped'
  if (job.skipped.includes(n)) return 'Will be skipped'
  return job.object === n ? 'Printing now' : ''
}

function Row({ n, object: o, job, enabled, onTap }: { n: number; object: PrintedObject; job: Job; enabled: boolean; onTap: () => void }) {
  const status = statusOf(job, n)
  const fixed = job.left_out.includes(n)
  return (
    <li>
      <button type="button" class={`object-row${job.skipped.includes(n) ? ' skipped' : ''}`} disabled={!enabled || fixed} onClick={onTap}>
        <span class={`object-n num${job.object === n ? ' now' : ''}`} aria-hidden="true">{n + 1}</span>
        <span class="object-name wrap">{o.name}{status && <small class="muted"> · {status}</small>}</span>
        {asking(`object ${n}`) ? <Spinner /> : !fixed && <Icon name="next" size={18} />}
      </button>
    </li>
  )
}

/** The bed from above, its front at the bottom. Who cannot see it, or hit a small object, has the list. */
function BedMap({ objects, job, profile: p, onTap }: { objects: readonly PrintedObject[]; job: Job; profile: State['profile']; onTap: (i: number) => void }) {
  const hatch = useId()
  const left = p.origin === 'center' ? -p.width_mm / 2 : 0
  const front = p.origin === 'center' ? -p.depth_mm / 2 : 0
  const size = Math.max(p.width_mm, p.depth_mm)
  return (
    <svg class="bed-map" viewBox={`${left - 2} ${-front - p.depth_mm - 2} ${p.width_mm + 4} ${p.depth_mm + 4}`} role="img" aria-label={`The bed with ${objects.length} objects. The list below has them all.`} data-testid="bed-map">
      <defs>
        <pattern id={hatch} width={size / 40} height={size / 40} patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <line class="bed-hatch" x1="0" y1="0" x2="0" y2={size / 40} stroke-width={size / 110} />
        </pattern>
      </defs>
      {p.bed === 'circle'
        ? <ellipse class="bed" cx={left + p.width_mm / 2} cy={-front - p.depth_mm / 2} rx={p.width_mm / 2} ry={p.depth_mm / 2} />
        : <rect class="bed" x={left} y={-front - p.depth_mm} width={p.width_mm} height={p.depth_mm} rx={size / 60} />}
      {objects.map((o, i) => {
        const points = outline(o)
        if (!points) return null
        const at = middle(o)
        const [wide, high] = spread(o)
        const above = Math.min(wide, high) < size / 12 ? high / 2 + size / 30 : 0 // a number would hide what is so small
        const skipped = job.skipped.includes(i)
        return (
          <g key={i} class={`bed-object${job.object === i ? ' now' : ''}${skipped ? ' skipped' : ''}`} data-object={i} onClick={() => onTap(i)}>
            <polygon class="bed-touch" points={points} />
            <polygon class="bed-shape" points={points} />
            {skipped && <polygon points={points} fill={`url(#${hatch})`} />}
            <text x={at.x} y={at.y - above} dy="0.35em" font-size={size / 22}>{i + 1}</text>
          </g>
        )
      })}
    </svg>
  )
}

/** The button that opens it. */
export function ObjectsButton({ job, enabled }: { job: Job; enabled: boolean }) {
  const [open, setOpen] = useState(false)
  const profile = state.value?.profile
  const skipped = job.skipped.length
  return (
    <>
      <button type="button" class="btn wide" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        <Icon name="part" /> Objects <span class="muted num">· {job.objects}{skipped > 0 && `, ${skipped} skipped`}</span>
      </button>
      {open && profile && <ObjectsSheet job={job} profile={profile} enabled={enabled} onClose={() => setOpen(false)} />}
    </>
  )
}
