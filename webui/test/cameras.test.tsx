// Which camera is shown, and what can be adjusted at one.
import { fireEvent, screen } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { CameraControls } from '../src/parts/cameracontrols'
import { Cameras } from '../src/parts/camera'
import { BedClear } from '../src/parts/filesheet'
import { link, state } from '../src/state'
import type { CameraControl, CameraSetup, CameraStatus } from '../src/wire'
import { exampleState } from './examples'
import { PretendSocket, pretendSockets } from './sockets'

let root: HTMLElement

beforeEach(() => {
  vi.useFakeTimers()
  pretendSockets()
  root = document.createElement('div')
  document.body.append(root)
})

afterEach(() => {
  act(() => render(null, root))
  root.remove()
  sessionStorage.clear()
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

const camera = (id: number, change: Partial<CameraStatus> = {}): CameraStatus => ({ id, device: `/dev/video${id}`, name: `Camera at ${id}`, live: true, problem: '', width: 640, height: 480, fps: 10, since_ms: 1, dropped: 0, ...change })
const show = (cameras: CameraStatus[]) => act(() => render(<Cameras cameras={cameras} live />, root))

it('shows the first, offers a choice only among several, and one that is off is none', () => {
  show([camera(3), camera(1, { device: 'none' })])
  expect(screen.queryByRole('group', { name: 'Cameras' })).toBeNull()
  show([camera(3), camera(1), camera(0)])
  expect(screen.getAllByRole('button', { pressed: true }).map((b) => b.textContent)).toEqual(['Camera at 3'])
  act(() => screen.getByRole('button', { name: 'Camera at 1' }).click())
  expect(screen.getAllByRole('button', { pressed: true }).map((b) => b.textContent)).toEqual(['Camera at 1'])
  show([camera(3), camera(0)]) // it was removed
  expect(screen.getAllByRole('button', { pressed: true }).map((b) => b.textContent)).toEqual(['Camera at 3'])
})

it('leads an owner to the settings when no camera was found', () => {
  state.value = exampleState()
  show([camera(0, { device: '', live: false, problem: 'No camera was found.' })])
  expect(screen.getByRole('link').getAttribute('href')).toBe('#/settings/cameras')
})

it('shows the bed by the first camera that is not off', () => {
  state.value = exampleState({ cameras: [camera(0, { device: 'none' }), camera(2)] })
  act(() => render(<BedClear name="cube.gcode" starting={false} onYes={() => undefined} onBack={() => undefined} />, root))
  expect(screen.getByTestId('camera-canvas').getAttribute('aria-label')).toContain('Camera')
  expect(PretendSocket.newest.url).toContain('id=2')
  state.value = null
})

const control = (id: string, change: Partial<CameraControl> = {}): CameraControl => ({ id, name: id, kind: 'number', min: 0, max: 100, step: 1, default: 50, value: 50, choices: [], inactive: false, ...change })
const setup = (adjustable: CameraControl[], controls: Record<string, number> = {}): CameraSetup => ({ id: 2, name: '', device: '', width: 0, height: 0, fps: 0, rotate: 0, flip_h: false, flip_v: false, controls, adjustable })

it('a slider is obeyed while it is dragged, the newest value last, and goes back to what the camera has by itself', async () => {
  const sent: unknown[] = []
  vi.spyOn(link, 'do').mockImplementation((doing) => {
    sent.push(doing)
    return Promise.resolve({ type: 'answer', id: '', rev: 1, job: '', error: null })
  })
  vi.stubGlobal('fetch', () => new Promise(() => undefined))
  act(() => render(<CameraControls setup={setup([control('brightness')])} disabled={false} />, root))
  const slider = screen.getByLabelText<HTMLInputElement>('brightness')
  expect(screen.getByRole<HTMLButtonElement>('button', { name: /brightness: back/ }).disabled).toBe(true)
  for (const value of [60, 70, 80, 90]) act(() => void fireEvent.input(slider, { target: { value: String(value) } }))
  expect(screen.getByRole('status').textContent).toBe('90')
  await act(async () => void await vi.advanceTimersByTimeAsync(400))
  expect(sent).toEqual([60, 90].map((value) => ({ do: 'set_control', camera_id: 2, name: 'brightness', value })))
  act(() => screen.getByRole('button', { name: /brightness: back/ }).click())
  await act(async () => void await vi.advanceTimersByTimeAsync(400))
  expect(sent.at(-1)).toEqual({ do: 'set_control', camera_id: 2, name: 'brightness' })
  expect(screen.getByRole('status').textContent).toBe('50')
})

it('shows switches and choices as such, and greys what another control is in charge of', () => {
  const all = [
    control('auto focus', { kind: 'switch', max: 1, value: 1 }),
    control('exposure', { kind: 'choice', value: 3, choices: [{ value: 1, name: 'Manual' }, { value: 3, name: 'By itself' }] }),
    control('focus', { inactive: true }),
  ]
  act(() => render(<CameraControls setup={setup(all)} disabled={false} />, root))
  expect(screen.getByRole<HTMLInputElement>('checkbox').checked).toBe(true)
  expect(screen.getByRole<HTMLSelectElement>('combobox').selectedOptions[0]?.textContent).toBe('By itself')
  expect(screen.getByLabelText<HTMLInputElement>('focus').disabled).toBe(true)
})
