// #/settings/cameras: all cameras; #/settings/cameras/2: the camera with the id 2; #/settings/cameras/new: another one.
import { useEffect, useState } from 'preact/hooks'
import { CameraControls } from '../parts/cameracontrols'
import { CameraForm } from '../parts/cameraform'
import { Picture } from '../parts/camera'
import { Icon, Spinner } from '../parts/icon'
import { Sheet } from '../parts/sheet'
import { whyNotOwner } from '../custom'
import { goInstead, route, routeHash } from '../route'
import { asking, choices, live, loadChoices, perform, state } from '../state'
import { trim } from '../units'
import type { CameraSetup, CameraStatus, Choices, State } from '../wire'

const mostCameras = 8

export function CamerasPage() {
  const up = live.value
  useEffect(() => {
    if (up) void loadChoices()
  }, [up])
  const s = state.value
  const all = choices.value
  if (!s || !all) return <p class="center muted"><Spinner /></p>
  const why = whyNotOwner()
  const below = route.value.rest.split('/')[1] ?? ''
  const setup = below === 'new' ? another : all.setups.find(({ id }) => String(id) === below)
  return (
    <div class="custom">
      {why && <p class="why bar"><Icon name="lock" size={20} />{why}</p>}
      {setup ? <One key={setup.id} s={s} all={all} setup={setup} disabled={why !== ''} /> : <List s={s} />}
    </div>
  )
}

const another: CameraSetup = { id: -1, name: '', device: '', width: 0, height: 0, fps: 0, rotate: 0, flip_h: false, flip_v: false, controls: {}, adjustable: [] }

function List({ s }: { s: State }) {
  return (
    <div class="columns">
      <section class="card" aria-label="Cameras">
        {s.cameras.length === 0 && <p>There is no camera.</p>}
        <ul class="rows">
          {s.cameras.map((camera) => (
            <li key={camera.id} class="row">
              <a class="row-open" href={routeHash('settings', `cameras/${camera.id}`)}>
                <strong class="wrap">{camera.name || `Camera ${camera.id + 1}`}</strong>
                <small class={camera.problem ? 'problem' : 'muted num'}>{about(camera)}</small>
              </a>
              <Icon name="next" size={20} />
            </li>
          ))}
        </ul>
        {s.cameras.length < mostCameras && <div class="card-actions">
          <a class="btn" href={routeHash('settings', 'cameras/new')}><Icon name="plus" size={20} /> Add a camera</a>
        </div>}
      </section>
      <a class="btn quiet" href={routeHash('settings', 'power')}><Icon name="lamp" size={20} /> The lamp is in Power and light</a>
    </div>
  )
}

/** What a camera does, in a line. */
function about({ device, live: running, problem, width, height, fps }: CameraStatus): string {
  if (device === 'none') return 'Off'
  return running ? `${width}×${height}, ${trim(fps, 1)} per second` : problem || 'No picture yet'
}

function One({ s, all, setup, disabled }: { s: State; all: Choices; setup: CameraSetup; disabled: boolean }) {
  const [asked, setAsked] = useState(false)
  const status = s.cameras.find(({ id }) => id === setup.id)
  const locked = setup.id === 0 ? s.locked : {}
  const remove = async () => {
    const answer = await perform('camera', { do: 'remove_camera', camera_id: setup.id })
    if (answer.error) return setAsked(false)
    await loadChoices()
    goInstead('settings', 'cameras')
  }
  return (
    <div class="columns camera-page">
      <div class="column camera-seen">
        {status && status.device !== '' && status.device !== 'none' && <Picture status={status} live={live.value} />}
        {status && status.problem && !status.live && <p class="problem">{status.problem}</p>}
        {setup.adjustable.length > 0 && <CameraControls setup={setup} disabled={disabled} />}
      </div>
      <div class="column">
        <CameraForm key={JSON.stringify({ ...setup, controls: null, adjustable: null })} now={setup} devices={all.cameras} locked={locked} disabled={disabled} />
        {setup.id >= 0 && <button type="button" class="btn danger" disabled={disabled || 'camera.device' in locked} onClick={() => setAsked(true)}><Icon name="trash" size={20} /> Remove this camera</button>}
      </div>
      {asked && (
        <Sheet title="Remove this camera?" role="alertdialog" firm onClose={() => setAsked(false)}>
          <p><strong class="wrap">{status?.name || 'It'}</strong> is no longer shown. What was set up for it is forgotten.</p>
          <div class="sheet-actions">
            <button type="button" class="btn danger solid" disabled={asking('camera') !== null} onClick={() => void remove()}>Remove</button>
            <button type="button" class="btn" onClick={() => setAsked(false)}>Keep it</button>
          </div>
        </Sheet>
      )}
    </div>
  )
}
