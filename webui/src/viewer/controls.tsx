// What stands around the picture: which layer, up to where in it, and what the colours mean.
import { Icon } from '../parts/icon'
import { dash, trim } from '../units'
import type { Job } from '../wire'
import { css, features, ramp, travelColour, type ColourBy, type Palette } from './colours'
import type { Layer } from './decode'

/** What is to be seen. */
export interface Shown {
  n: number // from 0
  layers: number
  zMM: number
  layer: Layer | null // that one, when it is there
  upTo: number
}

export function LayerSlider({ shown: { n, layers, zMM }, onChoose }: { shown: Shown; onChoose: (n: number) => void }) {
  return (
    <div class="layer-slider">
      <button type="button" class="icon-button" aria-label="One layer up" disabled={n >= layers - 1} onClick={() => onChoose(n + 1)}><Icon name="up" /></button>
      <input type="range" min={0} max={Math.max(1, layers - 1)} step={1} value={n} disabled={layers < 2} aria-label="Layer" aria-orientation="vertical"
        aria-valuetext={`Layer ${n + 1} of ${layers}${zMM > 0 ? `, ${trim(zMM, 2)} millimetres` : ''}`} onInput={(event) => onChoose(Number(event.currentTarget.value))} />
      <button type="button" class="icon-button" aria-label="One layer down" disabled={n <= 0} onClick={() => onChoose(n - 1)}><Icon name="down" /></button>
    </div>
  )
}

interface ScrubberProps {
  shown: Shown
  job: Job | null
  following: boolean
  words: string
  onPoint: (point: number) => void
  onFollow: (on: boolean) => void
}

export function Scrubber({ shown: { layer, upTo }, job, following, words, onPoint, onFollow }: ScrubberProps) {
  const last = layer ? layer.count - 1 : 0
  const line = following && job ? job.line : layer?.line[upTo] ?? 0
  const speed = layer?.speed[upTo] ?? 0
  return (
    <div class="viewer-scrub">
      <div class="viewer-words">
        <p class="num"><strong data-testid="viewer-layer">{words}</strong>{!layer && <span class="muted"> · loading…</span>}</p>
        {job && <button type="button" class="btn small" aria-pressed={following} onClick={() => onFollow(!following)}>Follow the print</button>}
      </div>
      <input type="range" class="scrubber" min={0} max={Math.max(1, last)} step={1} value={upTo} disabled={!layer || last === 0} aria-label="Place in the layer"
        aria-valuetext={`Line ${line}, ${speed} millimetres a second`} onInput={(event) => onPoint(Number(event.currentTarget.value))} />
      <p class="viewer-line muted small num"><span data-testid="viewer-line">Line {line > 0 ? line.toLocaleString('en') : dash}{following && ' · as it is printed'}</span><span>{speed > 0 ? `${speed} mm/s` : ''}</span></p>
    </div>
  )
}

interface LegendProps {
  by: ColourBy
  palette: Palette
  low: number // mm
  high: number
  travel: boolean
}

export function Legend({ by, palette, low, high, travel }: LegendProps) {
  return (
    <div class="viewer-legend small" role="group" aria-label="Colours">
      {by === 'feature'
        ? [...palette.found].sort((a, b) => a - b).map((f) => <Key key={f} name={features[f]?.name ?? ''} colour={css(features[f]?.colour ?? ramp[0]!)} />)
        : (
          <span class="viewer-ramp num">
            <span>{by === 'speed' ? (palette.fastest > 0 ? palette.slowest : dash) : trim(Math.max(0, low), 2)}</span>
            <i aria-hidden="true" />
            <span>{by === 'speed' ? `${palette.fastest > 0 ? palette.fastest : dash} mm/s` : `${trim(high, 1)} mm`}</span>
          </span>
        )}
      {travel && <Key name="Travel" colour={css(travelColour)} />}
    </div>
  )
}

// A picture for the colour: the page's policy forbids styles in the HTML, not those that a script sets.
function Key({ name, colour }: { name: string; colour: string }) {
  return <span class="viewer-key"><svg width="12" height="12" aria-hidden="true"><rect width="12" height="12" rx="3" fill={colour} /></svg>{name}</span>
}
