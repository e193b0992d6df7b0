// Plays the frames of a timelapse one by one, and lets a finger go through them: of a print under way too.
//
//	slider, play ─▶ wanted ─▶ one request at a time, for the newest that is wanted ─▶ painted ─▶ neighbours fetched ahead
import { useEffect, useRef, useState } from 'preact/hooks'
import { getShot, type Shot } from '../films'
import { complain } from '../state'
import { clockSeconds } from '../units'
import { Icon } from './icon'

interface FramePlayerProps {
  id: string
  last: number // number of the last frame
  step: number
  fps: number
  /** More frames come: it begins at the newest and stays there until somebody moves away. */
  growing?: boolean
}

const ahead = 3 // frames
const kept = 12

export function FramePlayer({ id, last, step, fps, growing = false }: FramePlayerProps) {
  const [wanted, setWanted] = useState(growing ? last : 0)
  const [shown, setShown] = useState<Shot | null>(null)
  const [playing, setPlaying] = useState(false)
  const [newest, setNewest] = useState(growing)
  const canvas = useRef<HTMLCanvasElement>(null)
  const reel = useReel(id)

  useEffect(() => {
    if (newest) setWanted(last)
  }, [newest, last])

  useEffect(() => {
    let over = false
    void reel(wanted).then((shot) => {
      if (over || !shot) return
      setShown(shot)
      for (let i = 1; i <= ahead; i++) if (shot.n + i * step <= last) void reel(shot.n + i * step)
      if (shot.n >= step && !playing) void reel(shot.n - step)
    })
    return () => {
      over = true
    }
  }, [wanted, id])

  useEffect(() => {
    if (shown) paint(canvas.current, shown.picture)
  }, [shown])

  // The next frame is due when this one has been seen, so a slow link plays slowly and skips nothing.
  useEffect(() => {
    if (!playing || !shown) return
    if (shown.n + step > last) {
      setPlaying(false)
      return
    }
    const timer = setTimeout(() => setWanted(shown.n + step), 1000 / fps)
    return () => clearTimeout(timer)
  }, [playing, shown])

  const go = (n: number) => {
    setPlaying(false)
    setNewest(growing && n >= last)
    setWanted(Math.min(Math.max(n, 0), last))
  }
  const play = () => {
    setNewest(false)
    if (!playing && wanted >= last) setWanted(0)
    setPlaying(!playing)
  }
  const words = shown ? [shown.layer > 0 && `Layer ${shown.layer}`, clockSeconds(shown.takenMs)].filter(Boolean).join(' · ') : ''
  return (
    <div class="player">
      <canvas ref={canvas} class="player-picture" role="img" aria-label={`Frame of the timelapse${words && `, ${words}`}`} data-n={shown?.n ?? -1} />
      <p class="player-words num" aria-live="off"><span>{words || ' '}</span><span class="muted">{shown ? `${Math.floor(shown.n / step) + 1} of ${Math.floor(last / step) + 1}` : ''}</span></p>
      <input type="range" class="scrubber" min={0} max={last} step={step} value={wanted} aria-label="Frame" aria-valuetext={words} onInput={(event) => go(Number(event.currentTarget.value))} />
      <div class="player-tools">
        <button type="button" class="btn" aria-label="One frame back" disabled={wanted <= 0} onClick={() => go(wanted - step)}><Icon name="left" /></button>
        <button type="button" class="btn primary" onClick={play}><Icon name={playing ? 'pause' : 'play'} /> {playing ? 'Pause' : 'Play'}</button>
        <button type="button" class="btn" aria-label="One frame on" disabled={wanted >= last} onClick={() => go(wanted + step)}><Icon name="right" /></button>
      </div>
    </div>
  )
}

/** Frames that were got or are on their way, a few of them; one that fails is tried again when it is wanted again. */
function useReel(id: string): (n: number) => Promise<Shot | null> {
  const shots = useRef(new Map<string, Promise<Shot | null>>())
  const failed = useRef(false)
  return (n) => {
    const key = `${id} ${n}`
    const had = shots.current.get(key)
    if (had) return had
    const coming = getShot(id, n).catch((error: unknown) => {
      shots.current.delete(key)
      if (!failed.current) complain(error)
      failed.current = true
      return null
    })
    shots.current.set(key, coming)
    for (const old of shots.current.keys()) {
      if (shots.current.size <= kept) break
      void shots.current.get(old)?.then((shot) => setTimeout(() => shot?.picture.close(), 2000)) // it may just be on its way to the screen
      shots.current.delete(old)
    }
    return coming
  }
}

function paint(canvas: HTMLCanvasElement | null, picture: ImageBitmap): void {
  if (!canvas || picture.width === 0) return
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width
    canvas.height = picture.height
  }
  canvas.getContext('2d')?.drawImage(picture, 0, 0)
}
