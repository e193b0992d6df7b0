// The picture, and how old it is. An old picture never looks live: amber after 2 s, grey with the time after 5 s.
import { signal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ageMs, streamOf } from '../camera'
import { routeHash } from '../route'
import { age, bytes, clockSeconds } from '../units'
import type { CameraStatus } from '../wire'
import { Icon } from './icon'
import { lazy } from './lazy'
import { May } from './may'

const agingMs = 2000
const oldMs = 5000

const Tools = lazy(() => import('./cameratools').then((m) => m.CameraTools), true)

const key = 'camera' // in the session's storage: which camera was looked at last
const chosen = signal(Number(sessionStorage.getItem(key) ?? NaN))

/** The cameras of the Print screen, one at a time; the first until another is chosen. */
export function Cameras({ cameras, live }: { cameras: readonly CameraStatus[]; live: boolean }) {
  const all = cameras.filter((each) => each.device !== 'none')
  const status = all.find((each) => each.id === chosen.value) ?? all[0]
  if (!status) return null
  return (
    <>
      {status.device ? <Picture key={status.id} status={status} live={live} /> : (
        <section class="picture none" aria-label="Camera">
          <Icon name="camera" />
          <p>{status.problem || 'No camera was found.'} <May role="owner"><a href={routeHash('settings', 'cameras')}>Choose one</a></May></p>
        </section>
      )}
      {all.length > 1 && (
        <div class="segments cameras" role="group" aria-label="Cameras">
          {all.map(({ id, name }) => (
            <button key={id} type="button" aria-pressed={id === status.id} onClick={() => {
              chosen.value = id
              sessionStorage.setItem(key, String(id))
            }}>{name || `Camera ${id + 1}`}</button>
          ))}
        </div>
      )}
    </>
  )
}

interface PictureProps {
  status: CameraStatus
  live: boolean
  /** It fills the screen, and this ends that. */
  onLeave?: () => void
}

/** The picture alone; used by the bed-clear question and the settings too. */
export function Picture({ status, live, onLeave }: PictureProps) {
  const frame = useRef<HTMLElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [, setNow] = useState(0)
  const [more, setMore] = useState(false)
  const stream = streamOf(status.id)
  useEffect(() => (canvas.current ? stream.watch(canvas.current) : undefined), [])
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now())
      stream.nudge(status.live && live)
    }, 250)
    return () => clearInterval(timer)
  }, [status.live, live])

  const picture = stream.shown.value
  const old = picture ? ageMs(picture) : 0
  const look = !picture ? 'waiting' : old > oldMs ? 'old' : old > agingMs || picture.stale ? 'aging' : 'fresh'
  const label = look === 'waiting' ? 'Camera: no picture yet' : look === 'fresh' ? `Camera: ${status.name}, live` : `Camera: ${status.name}, old picture`
  const { width, height } = picture ?? status
  return (
    <section ref={frame} class={`picture ${look}`} aria-label="Camera" tabIndex={-1} style={{ aspectRatio: width && height ? `${width} / ${height}` : '16 / 9' }}>
      <canvas ref={canvas} role="img" aria-label={label} data-testid="camera-canvas" width={16} height={9} />
      {(look === 'waiting' || look === 'old') && (
        <div class="picture-over">
          <Icon name="camera" size={32} />
          <p>
            {picture ? <strong>No picture since {clockSeconds(picture.takenMs)}</strong> : status.problem || (live ? 'Waiting for the first picture…' : 'No picture')}
            {picture && status.problem && <><br />{status.problem}</>}
          </p>
        </div>
      )}
      {picture && (
        <button type="button" class="picture-age" data-testid="camera-age" aria-expanded={more} onClick={() => setMore(!more)}>
          <span>
            <span class="dot" aria-hidden="true" />
            {look === 'fresh' ? `Live · ${age(old)}` : `${age(old)} old`}
            {more && ` · ${width}×${height} · ${bytes(Math.round(stream.meter.perMinute(Date.now())))}/min`}
          </span>
        </button>
      )}
      <Tools status={status} live={live} frame={frame} canvas={canvas} onLeave={onLeave} />
    </section>
  )
}
