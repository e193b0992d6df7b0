// The settings of the guard, as controls change them one by one.
import type { Guard, Mode } from '../guard'
import { allowed, asking, perform, state } from '../state'
import type { CameraStatus, GuardSettings, State } from '../wire'

export const modeNames: Record<Mode, string> = { off: 'Off', tell: 'Tell me', pause: 'Pause' }
export const modeAbout: Record<Mode, string> = {
  off: 'Prints are not watched.',
  tell: 'When the layers shift, this page says so, and the print goes on.',
  pause: 'When the layers shift, the print pauses, and this page shows what was found.',
}

/** Changes some of the settings. */
export const set = (g: Guard, change: Partial<GuardSettings>) => void perform('guard', { do: 'set_guard', guard: { ...g.settings, ...change } })

/** What was asked for and is not in the state yet is shown as it will be. */
export function wanted(g: Guard): GuardSettings {
  const asked = asking('guard')
  return asked?.do === 'set_guard' ? asked.guard : g.settings
}

/** The cameras that there are. */
export const usable = ({ cameras }: Pick<State, 'cameras'>): CameraStatus[] => cameras.filter((c) => c.device !== '' && c.device !== 'none')

const shares = [0.5, 1, 2, 5, 10]

/** How much of a print's time may go into watching it. */
export function ShareChoice({ g, disabled }: { g: Guard; disabled: boolean }) {
  const now = wanted(g).share_percent
  return (
    <div class="field">
      <label for="guard-share">Time that it may take</label>
      <select id="guard-share" value={String(now)} disabled={disabled} aria-describedby="guard-share-about" onChange={(event) => set(g, { share_percent: Number(event.currentTarget.value) })}>
        {[...new Set([...shares, now])].sort((a, b) => a - b).map((share) => <option key={share} value={String(share)} selected={share === now}>{share} % of a print</option>)}
      </select>
      <small id="guard-share-about" class="muted">For checks and pictures together. With more, a shift is found sooner. A timelapse that parks the head at each layer gives the camera its pictures for nothing.</small>
    </div>
  )
}

/** Which camera watches; -1 none. */
export function CameraChoice({ g, disabled }: { g: Guard; disabled: boolean }) {
  const cameras = state.value ? usable(state.value) : []
  const now = wanted(g).camera
  if (cameras.length === 0) return null
  return (
    <div class="field">
      <label for="guard-camera">Camera that watches</label>
      <select id="guard-camera" value={cameras.some(({ id }) => id === now) ? now : -1} disabled={disabled || !allowed('owner')} onChange={(event) => set(g, { camera: Number(event.currentTarget.value) })}>
        {cameras.map(({ id, name }) => <option key={id} value={id}>{name || `Camera ${id + 1}`}</option>)}
        <option value={-1}>None: the endstops alone</option>
      </select>
    </div>
  )
}
