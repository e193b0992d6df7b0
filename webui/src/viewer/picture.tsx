// The canvas, and who draws on it. In space it also fetches the layers, within a budget.
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ApiError } from '../wire'
import { Palette, type ColourBy } from './colours'
import type { Layer } from './decode'
import { FlatView, type Bed } from './flat'
import { listen } from './hand'
import { SolidView } from './solid'
import type { Source } from './source'

/** How far the layers in space have come. */
export interface Progress {
  done: number // part of the file, 0 to 1
  whole: boolean
  step: number // every so many layers
  stopped: number // at this layer, because it got too much; 0 it did not
  palette: Palette
  error: ApiError | null
}

interface PictureProps {
  solid: boolean
  source: Source
  bed: Bed
  look: { n: number; layer: Layer | null; upTo: number; by: ColourBy; travel: boolean; palette: Palette }
  onProgress: (p: Progress | null) => void
  onAgain: () => void // makes a new picture
  told: (error: unknown, signal: AbortSignal) => ApiError | null
}

// Lines in space: some 16 bytes each on the graphics chip, and what an older phone turns smoothly.
const budget = ('deviceMemory' in navigator && Number(navigator.deviceMemory) <= 2) ? 200_000 : 400_000

export function Picture({ solid, source, bed, look, onProgress, onAgain, told }: PictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const view = useRef<FlatView | SolidView | null>(null)
  const [whole, setWhole] = useState<Palette | null>(null)
  const [none, setNone] = useState<'' | 'webgl' | 'lost'>('')
  const dark = useDark()
  const { index } = source
  const step = Math.max(1, Math.ceil(index.lines / budget))

  // After the tap that asked for it has been shown: what WebGL needs at first takes a moment.
  useEffect(() => {
    const on = canvas.current
    if (!on) return
    const told = (name: string, value: number): void => {
      on.dataset[name] = String(value)
    }
    try {
      view.current = solid
        ? new SolidView(on, source, index.high[2], bed, index.heightMM, (lines, all) => {
          told('lines', lines)
          told('complete', Number(all))
        }, (back) => back ? onAgain() : setNone('lost'))
        : new FlatView(on, source, bed, () => told('drawn', Number(on.dataset['wanted'] ?? 0)))
    } catch (error) {
      console.warn(error)
      setNone('webgl')
      return
    }
    const deaf = listen(on, () => view.current)
    return () => {
      deaf()
      view.current?.end()
      view.current = null
    }
  }, [])

  useEffect(() => {
    if (!solid || !(view.current instanceof SolidView)) return
    const gone = new AbortController()
    const palette = new Palette()
    const to = view.current
    let at: Progress = { done: 0, whole: false, step, stopped: 0, palette, error: null }
    const tell = (change: Partial<Progress>): void => {
      if (gone.signal.aborted) return
      at = { ...at, ...change }
      if (canvas.current) canvas.current.dataset['loaded'] = String(Number(at.whole))
      setWhole(at.whole || at.stopped > 0 ? palette : null)
      onProgress(at)
    }
    tell({})
    void source.all(step, gone.signal, (layers, done) => {
      if (gone.signal.aborted) return false
      for (const l of layers) palette.add(l)
      if (layers.length > 0) to.add(layers)
      const stopped = to.lines > budget * 1.5 && done < 1 ? (layers.at(-1)?.n ?? 0) + 1 : 0
      tell({ done, stopped, whole: done >= 1 || stopped > 0 })
      return stopped === 0
    }).catch((error: unknown) => tell({ error: told(error, gone.signal) }))
    return () => {
      gone.abort()
      onProgress(null)
    }
  }, [solid, source])

  useEffect(() => {
    const { n, layer, upTo, by, travel, palette } = look
    const on = canvas.current
    if (!on) return
    on.dataset['layer'] = String(layer?.n ?? -1)
    on.dataset['wanted'] = String(upTo)
    if (view.current instanceof FlatView && layer) {
      view.current.show({ layer, upTo, by, palette, travel, dark, heightPart: (layer.z[layer.count - 1]! / 100) / Math.max(index.high[2], 0.01) })
    } else if (view.current instanceof SolidView) {
      view.current.show({ top: n, part: layer?.n === n ? layer : null, upTo, by, palette: whole ?? palette, travel, step, dark })
    }
  })

  const what = solid ? `All layers up to layer ${look.n + 1}, in space` : `Layer ${look.n + 1} from above`
  return (
    <>
      <canvas ref={canvas} class="viewer-canvas" role="img" tabIndex={0} data-view={solid ? '3d' : '2d'} aria-label={`${what}. Arrow keys ${solid ? 'turn' : 'move'} it, plus and minus change its size.`} />
      {none && (
        <div class="viewer-wait" role="alert">
          {none === 'webgl'
            ? <p><strong>This browser cannot show it in 3D.</strong> Look at single layers instead.</p>
            : <><p><strong>The 3D picture was lost.</strong> This device needed its graphics memory for something else.</p><button type="button" class="btn" onClick={onAgain}>Show it again</button></>}
        </div>
      )}
    </>
  )
}

/** Whether the page is dark now. */
function useDark(): boolean {
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches)
  useEffect(() => {
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    const look = (): void => setDark(scheme.matches)
    scheme.addEventListener('change', look)
    return () => scheme.removeEventListener('change', look)
  }, [])
  return dark
}
