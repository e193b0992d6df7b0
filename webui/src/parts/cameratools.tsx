// What can be done with a picture: enlarge it, let it fill the screen, switch the lamp. Fetched when the picture stands.
import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { allowed, asking, perform, state } from '../state'
import type { ApiError, CameraStatus } from '../wire'
import { Picture } from './camera'
import { Gestures } from './gestures'
import { Icon, Spinner } from './icon'

interface ToolsProps {
  status: CameraStatus
  live: boolean
  frame: RefObject<HTMLElement | null>
  canvas: RefObject<HTMLCanvasElement | null>
  onLeave: (() => void) | undefined // the picture fills the screen
}

export function CameraTools({ status, live, frame, canvas, onLeave }: ToolsProps) {
  const gestures = useRef<Gestures | null>(null)
  const [scale, setScale] = useState(1)
  const [full, setFull] = useState(false)
  const [error, setError] = useState<ApiError | null>(null) // of the lamp; notices are behind a picture that fills the screen
  useEffect(() => {
    if (full || !frame.current || !canvas.current) return // the bigger picture is part of this one, and has its own
    const mine = new Gestures(frame.current, canvas.current, onLeave !== undefined, setScale)
    gestures.current = mine
    return () => mine.end()
  }, [full])
  useEffect(() => {
    const timer = setTimeout(() => setError(null), 8000)
    return () => clearTimeout(timer)
  }, [error])
  return (
    <>
      <div class="picture-tools">
        <Lamp live={live} onAnswer={setError} />
        {onLeave && <button type="button" aria-label="Smaller" disabled={scale === 1} onClick={() => gestures.current?.by(1 / 1.5)}><Icon name="minus" /></button>}
        {onLeave && <button type="button" aria-label="Larger" onClick={() => gestures.current?.by(1.5)}><Icon name="plus" /></button>}
        {onLeave
          ? <button type="button" aria-label="Leave full screen" onClick={onLeave}><Icon name="close" /></button>
          : <button type="button" aria-label="Full screen" onClick={() => setFull(true)}><Icon name="expand" /></button>}
      </div>
      {scale > 1 && <button type="button" class="picture-scale" aria-label={`Enlarged ${scale.toFixed(1)} times: show the whole picture`} onClick={() => gestures.current?.reset()}><span>{scale.toFixed(1)}×</span></button>}
      {error && <p class="picture-error" role="alert">{error.message} {error.next}</p>}
      {full && <FullScreen status={status} live={live} onLeave={() => setFull(false)} />}
    </>
  )
}

function Lamp({ live, onAnswer }: { live: boolean; onAnswer: (error: ApiError | null) => void }) {
  const lamp = state.value?.lamp
  if (!lamp || !allowed('operator')) return null
  const asked = asking('lamp')
  const on = asked?.do === 'lamp' ? asked.on : lamp.on
  return (
    <button type="button" aria-label="Lamp" aria-pressed={on} disabled={!live || asked !== null}
      onClick={() => void perform('lamp', { do: 'lamp', on: !lamp.on }, true).then((answer) => onAnswer(answer.error))}>
      {asked ? <Spinner /> : <Icon name="lamp" />}
    </button>
  )
}

/** A second picture of the same camera over everything; on the whole screen where the browser lets an element have that, which an iPhone does not. */
function FullScreen({ status, live, onLeave }: { status: CameraStatus; live: boolean; onLeave: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const element = dialog.current
    if (!element) return
    element.showModal()
    const inner = element.firstElementChild
    if (inner && document.fullscreenEnabled) inner.requestFullscreen({ navigationUI: 'hide' }).catch(() => undefined) // then it fills the page
    const changed = () => {
      if (!document.fullscreenElement) onLeave()
    }
    document.addEventListener('fullscreenchange', changed)
    return () => {
      document.removeEventListener('fullscreenchange', changed)
      if (document.fullscreenElement) void document.exitFullscreen()
      element.close()
    }
  }, [])
  return (
    <dialog ref={dialog} class="full" aria-label={`Camera ${status.name}, full screen`} onCancel={(event) => {
      event.preventDefault()
      onLeave()
    }}>
      <Picture status={status} live={live} onLeave={onLeave} />
    </dialog>
  )
}
