// A file's layers, over the whole screen: one from above, or all up to it in space.
//
//	slider, job's line ─▶ which layer, up to which point ─▶ Source gets it ─▶ FlatView or SolidView draws it
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Refused } from '../api'
import { Icon, Spinner } from '../parts/icon'
import { state } from '../state'
import { trim } from '../units'
import { hasJob } from '../words'
import type { ApiError, Job, Profile } from '../wire'
import { Palette, type ColourBy } from './colours'
import { LayerSlider, Legend, Scrubber, type Shown } from './controls'
import { lastUpTo, type Layer } from './decode'
import { openViewer } from './open'
import { Picture, type Progress } from './picture'
import { Source } from './source'

interface ViewerProps {
  path: string
  name: string
  follow: boolean
  onClose: () => void
}

export function Viewer({ path, name, follow, onClose }: ViewerProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    dialog.current?.showModal()
    return () => dialog.current?.close()
  }, [])
  useEffect(() => {
    addEventListener('hashchange', onClose)
    return () => removeEventListener('hashchange', onClose)
  }, [])
  const { source, error, again } = useSource(path, usePrinted(path))
  return (
    <dialog ref={dialog} class="viewer" aria-label={`Layers of ${name}`} onCancel={(event) => {
      event.preventDefault()
      onClose()
    }}>
      <header class="viewer-head">
        <h2>{name}</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick={onClose}><Icon name="close" /></button>
      </header>
      {source ? <Layers key={source.index.sha256} source={source} path={path} follow={follow} onReopen={again} />
        : error ? <Trouble error={error} onAgain={again} />
          : <p class="viewer-wait muted"><Spinner /> Opening…</p>}
    </dialog>
  )
}

function Trouble({ error, onAgain }: { error: ApiError; onAgain: () => void }) {
  return (
    <div class="viewer-wait" role="alert">
      <p><strong>{error.message}</strong> {error.next}</p>
      <button type="button" class="btn" onClick={onAgain}>Try again</button>
    </div>
  )
}

/** What to say of a failure; null when it is only that nobody waits any more. */
function told(error: unknown, signal: AbortSignal): ApiError | null {
  if (signal.aborted) return null
  if (error instanceof Refused) return error.error
  console.error(error)
  return { code: 'strange', message: 'This page does not understand the layers that layerd sent.', next: 'Reload the page: layerd may have been updated.', warnings: [], problems: [] }
}

/** Whether the copy with arcs is what is printed of the file: its lines are those that the job counts. It stays so while one looks. */
function usePrinted(path: string): boolean {
  const arcs = useRef(false)
  const job = state.value?.job
  if (job?.file === path) arcs.current = job.arcs > 0
  return arcs.current
}

function useSource(path: string, arcs: boolean): { source: Source | null; error: ApiError | null; again: () => void } {
  const [source, setSource] = useState<Source | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  const [tries, setTries] = useState(0)
  useEffect(() => {
    const gone = new AbortController()
    setError(null)
    setSource(null)
    Source.open(path, gone.signal, arcs).then(setSource, (why: unknown) => setError(told(why, gone.signal)))
    return () => gone.abort()
  }, [path, arcs, tries])
  return { source, error, again: () => setTries((n) => n + 1) }
}

/** The newest layer that was wanted and has come; what was wanted before it is no longer waited for. */
function useLayer(source: Source, n: number): { layer: Layer | null; error: ApiError | null; again: () => void } {
  const [layer, setLayer] = useState<Layer | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  const [tries, setTries] = useState(0)
  const had = source.has(n)
  useEffect(() => {
    const gone = new AbortController()
    setError(null)
    source.layer(n, gone.signal).then(setLayer, (why: unknown) => setError(told(why, gone.signal)))
    return () => gone.abort()
  }, [source, n, tries])
  return { layer: had ?? layer, error, again: () => setTries((t) => t + 1) }
}

function Layers({ source, path, follow, onReopen }: { source: Source; path: string; follow: boolean; onReopen: () => void }) {
  const { index } = source
  const s = state.value
  const running = s?.job && hasJob(s.state) ? s.job : null
  const job = running?.file === path ? running : null
  const [chosen, setChosen] = useState(0)
  const [point, setPoint] = useState(-1) // -1: all of the layer
  const [wish, setWish] = useState(follow)
  const [solid, setSolid] = useState(false)
  const [by, setBy] = useState<ColourBy>('feature')
  const [travel, setTravel] = useState(false)
  const [progress, setProgress] = useState<Progress | null>(null)
  const [life, setLife] = useState(0) // of the picture
  const following = wish && job !== null
  const followed = useRef(-1) // the layer in which the print was last seen

  // When the print is over the picture stays where it was.
  const n = following ? Math.max(0, lastUpTo(index.line, job.line)) : wish && followed.current >= 0 ? followed.current : chosen
  if (following) followed.current = n
  const { layer, error, again } = useLayer(source, n)
  const last = layer ? layer.count - 1 : 0
  const upTo = !layer ? 0 : layer.n !== n ? last : following ? Math.max(0, lastUpTo(layer.line, job.line)) : point < 0 ? last : Math.min(point, last)

  const own = useRef<{ layer: Layer; palette: Palette } | null>(null)
  if (layer && own.current?.layer !== layer) {
    const palette = new Palette()
    palette.add(layer)
    own.current = { layer, palette }
  }
  const palette = (solid ? progress?.palette : own.current?.palette) ?? new Palette()
  const shown: Shown = { n, layers: source.layers, zMM: index.zMM[n] ?? 0, layer: layer?.n === n ? layer : null, upTo }

  /** What a person chooses ends following. */
  const choose = (to: number, at = -1): void => {
    setWish(false)
    setChosen(Math.max(0, Math.min(source.layers - 1, to)))
    setPoint(at)
  }
  const setFollow = (on: boolean): void => {
    setWish(on)
    if (on) return
    setChosen(n)
    setPoint(upTo)
  }
  const profile = s?.profile
  const failed = error ?? progress?.error ?? null
  const again3D = (): void => {
    setProgress(null)
    setLife(life + 1)
  }
  const onAgain = failed?.code === 'other_file' || failed?.code === 'no_file' ? onReopen : error ? again : again3D
  return (
    <>
      <div class="viewer-tools">
        <div class="segments" role="group" aria-label="View">
          <button type="button" aria-pressed={!solid} onClick={() => setSolid(false)}>Layer</button>
          <button type="button" aria-pressed={solid} onClick={() => setSolid(true)}>3D</button>
        </div>
        <select aria-label="Colour by" value={by} onChange={(event) => setBy(event.currentTarget.value as ColourBy)}>
          <option value="feature">Feature</option>
          <option value="speed">Speed</option>
          <option value="height">Height</option>
        </select>
        <button type="button" class="btn small" aria-pressed={travel} onClick={() => setTravel(!travel)}>Travel</button>
      </div>
      <div class="viewer-stage">
        <Picture key={`${solid} ${life}`} solid={solid} source={source} bed={bedOf(profile)} look={{ n, layer, upTo, by, travel, palette: own.current?.palette ?? palette }}
          onProgress={setProgress} onAgain={again3D} told={told} />
        {failed && <Trouble error={failed} onAgain={onAgain} />}
        {wish && !job && followed.current >= 0 && <Over running={running} />}
        {solid && progress && !progress.error && <p class="viewer-note num" role="status">{noteOf(progress)}</p>}
        {layer?.cut && layer.n === n && <p class="viewer-note" role="status">This layer is too big: only its beginning is shown.</p>}
        <LayerSlider shown={shown} onChoose={choose} />
      </div>
      <Scrubber shown={shown} job={job} following={following} onPoint={(at) => choose(n, at)} onFollow={setFollow} words={`Layer ${n + 1} of ${source.layers}${shown.zMM > 0 ? ` · ${trim(shown.zMM, 2)} mm` : ''}`} />
      <Legend by={by} palette={palette} low={index.low[2]} high={index.high[2]} travel={travel} />
    </>
  )
}

/** The print that was followed is over; another may be under way. */
function Over({ running }: { running: Job | null }) {
  return (
    <div class="viewer-note ended" role="status">
      <span>{running ? <>Now <strong class="wrap">{running.name}</strong> is printed.</> : 'This print has ended.'}</span>
      {running && <button type="button" class="btn small" onClick={() => void openViewer(running.file, running.name, true)}>Follow that</button>}
    </div>
  )
}

function noteOf({ step, done, whole, stopped }: Progress): string {
  const words = [step > 1 && `Simplified: every ${step}${step === 2 ? 'nd' : step === 3 ? 'rd' : 'th'} layer`, stopped && `too big for this device: shown up to layer ${stopped}`, !whole && `loading ${Math.floor(done * 100)} %`]
  const text = words.filter(Boolean).join(' · ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function bedOf(p: Profile | undefined): { left: number; front: number; width: number; depth: number; circle: boolean } {
  const [width, depth] = [p?.width_mm || 220, p?.depth_mm || 220]
  const middle = p?.origin === 'center'
  return { left: middle ? -width / 2 : 0, front: middle ? -depth / 2 : 0, width, depth, circle: p?.bed === 'circle' }
}
