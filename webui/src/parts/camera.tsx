// The picture, and how old it is. An old picture never looks live: amber after 2 s, grey with the time after 5 s.
import { useEffect, useRef, useState } from 'preact/hooks'
import { ageMs, nudge, shown, watch } from '../camera'
import { age, clock } from '../units'
import type { CameraStatus } from '../wire'
import { Icon } from './icon'

const agingMs = 2000
const oldMs = 5000

export function Camera({ status, live }: { status: CameraStatus; live: boolean }) {
  if (status.device === 'none') return null
  if (status.device === '') {
    return (
      <section class="picture none" aria-label="Camera">
        <Icon name="camera" />
        <p>{status.problem || 'No camera was found.'} <a href="#/settings">Choose one</a></p>
      </section>
    )
  }
  return <Picture status={status} live={live} />
}

/** The picture alone; used by the bed-clear question too. */
export function Picture({ status, live }: { status: CameraStatus; live: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [, setNow] = useState(0)
  useEffect(() => (canvas.current ? watch(canvas.current) : undefined), [])
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now())
      nudge(status.live && live)
    }, 250)
    return () => clearInterval(timer)
  }, [status.live, live])

  const picture = shown.value
  const old = picture ? ageMs(picture) : 0
  const look = !picture ? 'waiting' : old > oldMs ? 'old' : old > agingMs || picture.stale ? 'aging' : 'fresh'
  const label = look === 'waiting' ? 'Camera: no picture yet' : look === 'fresh' ? `Camera: ${status.name}, live` : `Camera: ${status.name}, old picture`
  return (
    <section class={`picture ${look}`} aria-label="Camera">
      <canvas ref={canvas} role="img" aria-label={label} data-testid="camera-canvas" width={16} height={9} />
      {look === 'waiting' && (
        <div class="picture-over">
          <Icon name="camera" size={32} />
          <p>{status.problem || (live ? 'Waiting for the first picture…' : 'No picture')}</p>
        </div>
      )}
      {look === 'old' && picture && (
        <div class="picture-over">
          <Icon name="camera" size={32} />
          <p><strong>No picture since {clock(picture.takenMs)}</strong>{status.problem && <><br />{status.problem}</>}</p>
        </div>
      )}
      {picture && (
        <span class="picture-age" data-testid="camera-age">
          <span class="dot" aria-hidden="true" />
          {look === 'fresh' ? `Live · ${age(old)}` : `${age(old)} old`}
        </span>
      )}
    </section>
  )
}
