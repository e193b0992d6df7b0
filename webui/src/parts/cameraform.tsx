// One camera: which it is, its name, how big and how often its picture comes, and which way up. Zero and empty let layerd or the camera decide.
import { useId, useState } from 'preact/hooks'
import { goInstead } from '../route'
import { asking, choices, loadChoices, notify, perform } from '../state'
import type { ApiError, CameraSetup, Choices } from '../wire'
import { Spinner } from './icon'
import { Locked } from './locked'

const sizes = ['640×480', '800×600', '1280×720', '1920×1080'] as const
const rates = [5, 10, 15, 30] as const
const turns = [0, 90, 180, 270] as const
const web = 'web' // in the list of devices: an address is asked for

const examples = [
  ['ESP32-CAM', 'http://192.168.1.40:81/stream'],
  ['ustreamer, mjpg-streamer', 'http://192.168.1.40:8080/?action=stream'],
  ['IP camera', 'http://name:password@192.168.1.40/video.mjpg'],
] as const

const isAddress = (device: string): boolean => /^https?:/i.test(device)

interface CameraFormProps {
  now: CameraSetup
  devices: Choices['cameras']
  locked: Record<string, string>
  disabled: boolean
}

export function CameraForm({ now, devices, locked, disabled }: CameraFormProps) {
  const id = useId()
  const { controls: _, adjustable: __, ...setup } = now
  const [draft, setDraft] = useState(setup)
  const [address, setAddress] = useState(isAddress(setup.device) ? setup.device : '')
  const [onNetwork, setOnNetwork] = useState(isAddress(setup.device))
  const [error, setError] = useState<ApiError | null>(null)
  const set = (change: Partial<typeof setup>) => setDraft((had) => ({ ...had, ...change }))
  const size = draft.width > 0 ? `${draft.width}×${draft.height}` : ''
  const wanted = { ...draft, name: draft.name.trim(), device: onNetwork ? address.trim() : draft.device }
  const isNew = now.id < 0
  const dirty = isNew || JSON.stringify(wanted) !== JSON.stringify(setup)
  const busy = asking('camera') !== null
  const lockedSize = locked['camera.width'] ?? locked['camera.height']
  const save = async () => {
    const before = new Set(choices.value?.setups.map((each) => each.id))
    const answer = await perform('camera', { do: 'set_camera', camera: wanted }, true)
    setError(answer.error)
    if (answer.error) return
    notify('good', isNew ? 'The camera is added.' : 'The camera settings are saved.')
    await loadChoices()
    const added = choices.value?.setups.find((each) => !before.has(each.id))
    if (isNew) goInstead('settings', added ? `cameras/${added.id}` : 'cameras')
  }
  return (
    <form class="card" aria-label="Camera settings" onSubmit={(event) => {
      event.preventDefault()
      void save()
    }}>
      <div class="field">
        <label for={id + 'device'}>Camera</label>
        <select id={id + 'device'} value={onNetwork ? web : draft.device} disabled={disabled || 'camera.device' in locked} onChange={(event) => {
          const { value } = event.currentTarget
          setOnNetwork(value === web)
          if (value !== web) set({ device: value })
        }}>
          <option value="">The first that is found</option>
          {!isAddress(draft.device) && draft.device && draft.device !== 'none' && !devices.some((each) => each.id === draft.device) && <option value={draft.device}>{draft.device}</option>}
          {devices.map((each) => <option key={each.id} value={each.id}>{each.name || each.id}</option>)}
          <option value={web}>On the network…</option>
          <option value="none">None</option>
        </select>
        <Locked by={locked['camera.device']} />
      </div>
      {onNetwork && (
        <div class="field">
          <label for={id + 'address'}>Its address</label>
          <input id={id + 'address'} type="text" inputMode="url" autocomplete="off" autocapitalize="none" spellcheck={false} placeholder="http://" value={address} disabled={disabled || 'camera.device' in locked}
            aria-describedby={id + 'hint'} onInput={(event) => setAddress(event.currentTarget.value)} />
          <div id={id + 'hint'} class="small muted address-hints">
            <p>Of a stream of JPEGs, or of single pictures. Such as:</p>
            <dl>{examples.map(([name, url]) => <div key={name}><dt>{name}</dt><dd><code class="wrap">{url}</code></dd></div>)}</dl>
          </div>
        </div>
      )}
      <div class="field">
        <label for={id + 'name'}>Name</label>
        <input id={id + 'name'} type="text" autocomplete="off" maxLength={40} value={draft.name} disabled={disabled} placeholder="As the camera calls itself" onInput={(event) => set({ name: event.currentTarget.value })} />
      </div>
      <div class="field-grid">
        <div class="field">
          <label for={id + 'size'}>Picture</label>
          <select id={id + 'size'} value={size} disabled={disabled || lockedSize !== undefined} onChange={(event) => {
            const [width = 0, height = 0] = event.currentTarget.value.split('×').map(Number)
            set({ width, height })
          }}>
            <option value="">Automatic</option>
            {size && !sizes.some((each) => each === size) && <option value={size}>{size}</option>}
            {sizes.map((each) => <option key={each} value={each}>{each}</option>)}
          </select>
          <Locked by={lockedSize} />
        </div>
        <div class="field">
          <label for={id + 'fps'}>Pictures per second</label>
          <select id={id + 'fps'} value={draft.fps} disabled={disabled || 'camera.fps' in locked} onChange={(event) => set({ fps: Number(event.currentTarget.value) })}>
            <option value={0}>Automatic</option>
            {draft.fps > 0 && !rates.some((each) => each === draft.fps) && <option value={draft.fps}>{draft.fps}</option>}
            {rates.map((each) => <option key={each} value={each}>{each}</option>)}
          </select>
          <Locked by={locked['camera.fps']} />
        </div>
      </div>
      <fieldset class="turns" disabled={disabled}>
        <legend>Turned clockwise</legend>
        <div class="segments">
          {turns.map((turn) => <button key={turn} type="button" aria-pressed={draft.rotate === turn} onClick={() => set({ rotate: turn })}>{turn}°</button>)}
        </div>
        <label class="check"><input type="checkbox" checked={draft.flip_h} onChange={(event) => set({ flip_h: event.currentTarget.checked })} />Left and right swapped</label>
        <label class="check"><input type="checkbox" checked={draft.flip_v} onChange={(event) => set({ flip_v: event.currentTarget.checked })} />Top and bottom swapped</label>
      </fieldset>
      <p class="problem" role="alert">{error && `${error.message} ${error.next}`}</p>
      <div class="card-actions"><button type="submit" class="btn primary" disabled={disabled || busy || !dirty || onNetwork && !isAddress(wanted.device)}>{busy && <Spinner />} {isNew ? 'Add camera' : 'Save camera'}</button></div>
    </form>
  )
}
