// Pauses that a print makes by itself: the line below its progress, the sheet that sets them, and the same before a start. Fetched when a print is watched.
import { useEffect, useId, useState } from 'preact/hooks'
import { asking, link, perform, state } from '../state'
import { getHeights, layerWords, placed, reaches, stopWords } from '../stops'
import { pausesAhead, useLayers, whenText } from '../times'
import { trim, typed } from '../units'
import type { ApiError, Doing, Job, Stop, StopAt } from '../wire'
import { Icon, Spinner } from './icon'
import { May } from './may'
import { Sheet } from './sheet'

/** Heights of a file's layers, null until they are there: it can be set without knowing them. */
function useHeights(path: string): readonly number[] | null {
  const [heights, setHeights] = useState<readonly number[] | null>(null)
  useEffect(() => {
    let gone = false
    setHeights(null)
    getHeights(path).then((got) => !gone && setHeights(got), () => {})
    return () => { gone = true }
  }, [path])
  return heights
}

/** Below the progress of a print: the next pause, the file's own too, and the way to more. */
export function StopsRow({ job, enabled }: { job: Job; enabled: boolean }) {
  const [open, setOpen] = useState(false)
  const [next] = pausesAhead(useLayers(job), job)
  const running = state.value?.state === 'printing'
  return (
    <>
      {next && <p class="small num">Pauses {next.where.toLowerCase()}{next.change && ', for new filament'}{next.inS !== null && `, ${whenText(next.inS, running, link.clock.now())}`}</p>}
      <May><button type="button" class="btn small" aria-haspopup="dialog" onClick={() => setOpen(true)}><Icon name="pause" size={20} /> Pause at…</button></May>
      {open && <StopsSheet job={job} enabled={enabled} onClose={() => setOpen(false)} />}
    </>
  )
}

function StopsSheet({ job, enabled, onClose }: { job: Job; enabled: boolean; onClose: () => void }) {
  const heights = useHeights(job.file)
  const [error, setError] = useState<ApiError | null>(null)
  const busy = asking('stops') !== null
  const ask = (doing: Doing) => void perform('stops', doing, true).then((answer) => setError(answer.error))
  return (
    <Sheet title="Pause at…" onClose={onClose}>
      <StopForm heights={heights} layers={job.layers} begun={job.begun} disabled={!enabled || busy} busy={busy} onSet={(at) => ask({ do: 'set_stop', job: job.id, stop: at })} />
      <p class="problem" role="alert">{error && <><strong>{error.message}</strong> {error.next}</>}</p>
      <StopList stops={job.stops} disabled={!enabled || busy} onRemove={(stop) => ask({ do: 'remove_stop', job: job.id, stop: { layer: stop.layer } })} />
    </Sheet>
  )
}

function StopList({ stops, disabled, onRemove }: { stops: readonly Stop[]; disabled: boolean; onRemove: (stop: Stop) => void }) {
  if (stops.length === 0) return null
  return (
    <ul class="stops" aria-label="Pauses that are set">
      {stops.map((stop) => (
        <li key={stop.layer} class={stop.passed ? 'passed' : ''}>
          <Icon name={stop.passed ? 'check' : stop.change ? 'spool' : 'pause'} size={20} />
          <span class="wrap"><strong class="num">{stopWords(stop)}</strong>{(stop.change || stop.note || stop.passed) && <small>{[stop.passed && 'passed', stop.change && 'new filament', stop.note].filter(Boolean).join(' · ')}</small>}</span>
          {!stop.passed && <button type="button" class="icon-button" aria-label={`Remove the pause before layer ${stop.layer}`} disabled={disabled} onClick={() => onRemove(stop)}><Icon name="trash" size={20} /></button>}
        </li>
      ))}
    </ul>
  )
}

type Way = 'this' | 'layer' | 'height'
const wayNames: Record<Way, string> = { this: 'This layer', layer: 'Layer', height: 'Height' }

interface StopFormProps {
  heights: readonly number[] | null
  layers: number
  begun: number // the layer under way, from 1; 0 before the first
  before?: boolean // the print has not been started
  disabled: boolean
  busy: boolean
  onSet: (at: StopAt) => void
}

/** Where, and what for. It says in words where the print will stand: always before a layer, when those below are done. */
function StopForm({ heights, layers, begun, before = false, disabled, busy, onSet }: StopFormProps) {
  const id = useId()
  const ways: readonly Way[] = before ? ['layer', 'height'] : ['this', 'layer', 'height']
  const [way, setWay] = useState<Way>(before ? 'layer' : 'this')
  const least = Math.min(begun + 1, layers)
  const [chosen, setChosen] = useState(Math.max(least, before ? Math.ceil(layers / 2) : Math.min(begun + 2, layers)))
  const [mm, setMM] = useState('')
  const [change, setChange] = useState(false)
  const [note, setNote] = useState('')
  const height = typed(mm)
  const layer = way === 'this' ? Math.max(begun, 1) + 1 : way === 'layer' ? Math.max(chosen, least) : heights && height > 0 ? reaches(heights, begun, height) : 0
  const z = heights?.[layer - 1] ?? 0
  const known = way !== 'height' || !heights || layer > 0
  const over = begun >= layers || way === 'this' && layer > layers
  const ready = !over && known && (way !== 'height' || height > 0)
  const words = over ? 'This is the last layer: no other comes.'
    : way === 'height' && mm === '' ? 'At a height the print pauses before the first layer that reaches it.'
      : way === 'height' && !(height > 0) ? 'Type a height in mm.'
        : !known ? 'No layer to come reaches that.'
          : layer > 0 ? `Pauses before ${layerWords(layer, z)}${layer > 1 ? `, when layer ${layer - 1} is done` : ''}.` : 'Pauses before the first layer that reaches it.'
  const set = () => {
    const at: StopAt = way === 'this' ? { this_layer: true } : way === 'layer' ? { layer } : { z_mm: height }
    onSet({ ...at, ...(change && { change }), ...(note.trim() && { note: note.trim() }) })
    setNote('')
    setChange(false)
  }
  return (
    <div class="stop-form">
      <div class="segments" role="group" aria-label="Pause at">
        {ways.map((one) => <button key={one} type="button" aria-pressed={way === one} onClick={() => setWay(one)}>{wayNames[one]}</button>)}
      </div>
      {way === 'layer' && (
        <div class="percent">
          <div class="percent-head"><label for={id}>Layer</label><output>{layer}{z > 0 && ` · ${trim(z, 2)} mm`}</output></div>
          <div class="percent-row">
            <button type="button" class="icon-button step" aria-label="One layer lower" disabled={disabled || layer <= least} onClick={() => setChosen(layer - 1)}><Icon name="minus" /></button>
            <input id={id} type="range" min={least} max={layers} step={1} value={layer} disabled={disabled} aria-valuetext={layerWords(layer, z)} onInput={(event) => setChosen(Number(event.currentTarget.value))} />
            <button type="button" class="icon-button step" aria-label="One layer higher" disabled={disabled || layer >= layers} onClick={() => setChosen(layer + 1)}><Icon name="plus" /></button>
          </div>
        </div>
      )}
      {way === 'height' && (
        <div class="field">
          <label for={id}>Height in mm</label>
          <input id={id} type="text" inputmode="decimal" autocomplete="off" value={mm} onInput={(event) => setMM(event.currentTarget.value)} />
        </div>
      )}
      <p class="num" role="status" data-testid="stop-words">{words}</p>
      <label class="check"><input type="checkbox" checked={change} disabled={disabled} onChange={(event) => setChange(event.currentTarget.checked)} /><span>Change the filament there</span></label>
      <div class="field">
        <label for={`${id}n`}>What to do there (shown when it stands)</label>
        <input id={`${id}n`} type="text" maxLength={150} autocomplete="off" value={note} onInput={(event) => setNote(event.currentTarget.value)} />
      </div>
      <button type="button" class="btn primary" disabled={disabled || !ready} onClick={set}>{busy ? <Spinner /> : <Icon name="plus" />} {before ? 'Add this pause' : 'Set this pause'}</button>
    </div>
  )
}

interface StopsChoiceProps {
  path: string
  value: readonly StopAt[]
  disabled: boolean
  onChange: (value: readonly StopAt[]) => void
}

/** Before a start: the pauses of this one print. Nothing for a file without layers. */
export function StopsChoice({ path, value, disabled, onChange }: StopsChoiceProps) {
  const heights = useHeights(path)
  const [open, setOpen] = useState(false)
  if (!heights || heights.length < 2 || !state.value) return null
  const stops = value.map((at) => placed(at, heights)).sort((a, b) => a.layer - b.layer)
  const add = (at: StopAt) => {
    const { layer } = placed(at, heights) // one before each layer
    onChange([...value.filter((one) => placed(one, heights).layer !== layer), { ...at, layer, z_mm: undefined }])
    setOpen(false)
  }
  return (
    <fieldset class="record" disabled={disabled}>
      <legend><Icon name="pause" size={18} /> Pauses</legend>
      <StopList stops={stops} disabled={disabled} onRemove={(stop) => onChange(value.filter((one) => placed(one, heights).layer !== stop.layer))} />
      {open
        ? <StopForm heights={heights} layers={heights.length} begun={0} before disabled={disabled} busy={false} onSet={add} />
        : <button type="button" class="btn small" onClick={() => setOpen(true)}><Icon name="plus" size={20} /> Pause at a layer or height…</button>}
    </fieldset>
  )
}
