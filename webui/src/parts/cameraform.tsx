// Which camera, and how big its picture is. Zero and empty let layerd or the camera decide.
import { useState } from 'preact/hooks'
import { Locked } from './locked'
import { asking, loadChoices, notify, perform } from '../state'
import { trim } from '../units'
import type { CameraSetup, CameraStatus, Choices } from '../wire'
import { Spinner } from './icon'

const sizes = ['640×480', '800×600', '1280×720', '1920×1080'] as const
const rates = [5, 10, 15, 30] as const

interface CameraFormProps {
  now: CameraSetup
  cameras: Choices['cameras']
  status: CameraStatus
  locked: Record<string, string>
  enabled: boolean
}

export function CameraForm({ now, cameras, status, locked, enabled }: CameraFormProps) {
  const [draft, setDraft] = useState(now)
  const set = (change: Partial<CameraSetup>) => setDraft((had) => ({ ...had, ...change }))
  const size = draft.width > 0 ? `${draft.width}×${draft.height}` : ''
  const dirty = JSON.stringify(draft) !== JSON.stringify(now)
  const busy = asking('camera') !== null
  const lockedSize = locked['camera.width'] ?? locked['camera.height']
  const save = async () => {
    const answer = await perform('camera', { do: 'set_camera', camera: { id: draft.id, device: draft.device, width: draft.width, height: draft.height, fps: draft.fps } })
    if (answer.error) return
    notify('good', 'The camera settings are saved.')
    await loadChoices()
  }
  return (
    <form class="card" aria-label="Camera settings" onSubmit={(event) => {
      event.preventDefault()
      void save()
    }}>
      <div class="card-head"><h2>Camera</h2><p class="muted num">{status.live ? `${status.width}×${status.height}, ${trim(status.fps, 1)} per second` : status.device === 'none' ? 'off' : 'no picture'}</p></div>
      {!status.live && status.problem && <p class="problem">{status.problem}</p>}
      <div class="field">
        <label for="camera-device">Camera</label>
        <select id="camera-device" value={draft.device} disabled={!enabled || 'camera.device' in locked} onChange={(event) => set({ device: event.currentTarget.value })}>
          <option value="">The first that is found</option>
          <option value="none">None</option>
          {draft.device && draft.device !== 'none' && !cameras.some((c) => c.id === draft.device) && <option value={draft.device}>{draft.device}</option>}
          {cameras.map((c) => <option key={c.id} value={c.id}>{c.name || c.id}</option>)}
        </select>
        <Locked by={locked['camera.device']} />
      </div>
      <div class="field-grid">
        <div class="field">
          <label for="camera-size">Picture</label>
          <select id="camera-size" value={size} disabled={!enabled || lockedSize !== undefined} onChange={(event) => {
            const [width = 0, height = 0] = event.currentTarget.value.split('×').map(Number)
            set({ width, height })
          }}>
            <option value="">As the camera likes</option>
            {size && !sizes.some((each) => each === size) && <option value={size}>{size}</option>}
            {sizes.map((each) => <option key={each} value={each}>{each}</option>)}
          </select>
          <Locked by={lockedSize} />
        </div>
        <div class="field">
          <label for="camera-fps">Pictures per second</label>
          <select id="camera-fps" value={draft.fps} disabled={!enabled || 'camera.fps' in locked} onChange={(event) => set({ fps: Number(event.currentTarget.value) })}>
            <option value={0}>As the camera likes</option>
            {draft.fps > 0 && !rates.some((each) => each === draft.fps) && <option value={draft.fps}>{draft.fps}</option>}
            {rates.map((each) => <option key={each} value={each}>{each}</option>)}
          </select>
          <Locked by={locked['camera.fps']} />
        </div>
      </div>
      <div class="card-actions"><button type="submit" class="btn primary" disabled={!enabled || busy || !dirty}>{busy && <Spinner />} Save camera</button></div>
    </form>
  )
}
