// How far off the camera saw the head, layer by layer: X and Y as lines, checks at the endstops as marks below, and what was not seen as hatching.
// Unseen is never drawn as zero: the lines break there.
import { useId } from 'preact/hooks'
import { timelineText, type Layer } from '../guard'
import { trim } from '../units'

const width = 320
const height = 132
const left = 34
const right = 8
const top = 8
const bottom = 40 // the marks of checks, and the numbers of layers
const leastMM = 1 // the scale goes at least so far, so that noise looks like noise

/** A line through what was seen, broken where nothing was. */
export function path(values: readonly (number | null)[], x: (i: number) => number, y: (mm: number) => number): string {
  return values.map((v, i) => (v === null ? '' : `${i === 0 || values[i - 1] === null ? 'M' : 'L'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`)).join('')
}

/** The stretches in which neither axis was seen: first and last place. */
export function blindStretches(layers: readonly Layer[]): [number, number][] {
  const out: [number, number][] = []
  layers.forEach((l, i) => {
    if (l.x_mm !== null || l.y_mm !== null) return
    const before = out.at(-1)
    if (before && before[1] === i - 1) before[1] = i
    else out.push([i, i])
  })
  return out
}

export function Timeline({ layers, since = 0 }: { layers: readonly Layer[]; since?: number }) {
  const id = useId()
  if (layers.length === 0) return <p class="muted">No layer was looked at yet.</p>
  const most = Math.max(leastMM, ...layers.flatMap((l) => [Math.abs(l.x_mm ?? 0), Math.abs(l.y_mm ?? 0)])) * 1.1
  const step = (width - left - right) / Math.max(layers.length, 8)
  const x = (i: number) => left + step * (i + 0.5)
  const mid = (top + height - bottom) / 2
  const y = (mm: number) => mid - (mm / most) * (mid - top)
  const mark = height - bottom + 11
  const scale = Math.floor(most * 10) / 10 >= 2 ? Math.floor(most) : Math.floor(most * 10) / 10 >= 1 ? 1 : 0.5
  const first = layers[0]!.layer
  const last = layers.at(-1)!.layer
  const from = layers.findIndex((l) => l.layer >= since)
  const blind = blindStretches(layers)
  const checked = layers.some((l) => l.check !== '')
  const dots = (of: (l: Layer) => number | null, name: string) => layers.map((l, i) => {
    const mm = of(l)
    return mm === null ? null : <circle key={i} class={name} cx={x(i)} cy={y(mm)} r={2} />
  })
  return (
    <figure class="timeline">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={timelineText(layers)}>
        <defs>
          <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6" /><path class="hatch" d="M0 0v6" /></pattern>
        </defs>
        {since > 0 && from >= 0 && <rect class="spoiled" x={left + step * from} y={top} width={step * (layers.length - from)} height={height - bottom - top} />}
        {blind.map(([a, b]) => <rect key={a} class="blind" x={left + step * a} y={top} width={step * (b - a + 1)} height={height - bottom - top} fill={`url(#${id})`} />)}
        {[scale, 0, -scale].map((mm) => (
          <g key={mm}>
            <path class={mm === 0 ? 'axis zero' : 'axis'} d={`M${left} ${y(mm)}H${width - right}`} />
            <text x={left - 5} y={y(mm) + 4} text-anchor="end">{mm > 0 ? `+${trim(mm, 1)}` : trim(mm, 1)}</text>
          </g>
        ))}
        <path class="line-y" d={path(layers.map((l) => l.y_mm), x, y)} />
        <path class="line-x" d={path(layers.map((l) => l.x_mm), x, y)} />
        {dots((l) => l.y_mm, 'dot-y')}
        {dots((l) => l.x_mm, 'dot-x')}
        {layers.map((l, i) => l.check !== '' && <Mark key={i} verdict={l.check} x={x(i)} y={mark} />)}
        <text x={x(0)} y={height - 5} text-anchor="start">{`Layer ${first}`}</text>
        {layers.length > 3 && <text x={x(layers.length - 1)} y={height - 5} text-anchor={layers.length < 8 ? 'middle' : 'end'}>{`${last}`}</text>}
      </svg>
      <figcaption>
        <span><i class="key-x" aria-hidden="true" />X, mm off</span>
        <span><i class="key-y" aria-hidden="true" />Y</span>
        {blind.length > 0 && <span><i class="key-blind" aria-hidden="true" />not seen</span>}
        {checked && <span><svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true"><Mark verdict="right" x={0} y={0} /></svg>checked</span>}
        {layers.some((l) => l.check === 'lost') && <span><svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true"><Mark verdict="lost" x={0} y={0} /></svg>wrong</span>}
      </figcaption>
    </figure>
  )
}

/** A check's sign: a tick, a cross, or a ring when it came to nothing. */
function Mark({ verdict, x, y }: { verdict: string; x: number; y: number }) {
  const place = `translate(${x} ${y})`
  switch (verdict) {
    case 'right': return <path class="mark right" transform={place} d="M-4 0l3 3.5L4.5-4" />
    case 'lost': return <path class="mark lost" transform={place} d="M-4-4l8 8M4-4l-8 8" />
    default: return <circle class="mark" transform={place} r={3} />
  }
}
