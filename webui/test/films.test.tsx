// Timelapses: the list, what can be done with one, the player, and the choice before a print.
import { fireEvent, getByLabelText, getByRole, getByText, queryByRole } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { films, type Film, type Films as List } from '../src/films'
import { Films } from '../src/parts/films'
import { FramePlayer } from '../src/parts/frameplayer'
import { LookBack } from '../src/parts/lookback'
import { RecordLine } from '../src/parts/recordchoice'
import { linkStatus, received, state } from '../src/state'
import type { RecordChoice, State } from '../src/wire'
import { exampleState } from './examples'

const film = (change: Partial<Film> = {}): Film => ({
  id: 'f1', job_id: 'j1', name: 'cube.gcode', started_ms: 1, ended_ms: 2, mode: 'layer', fps: 25, outcome: 'done', frames: 3, last_n: 4, step: 2, missed: 0, bytes: 3_000_000,
  video: { state: 'ready', reason: '', percent: 0, bytes: 1_000_000 }, ...change,
})
const video = (to: Film['video']['state'], reason = '') => ({ state: to, reason, percent: 40, bytes: 0 })

let root: HTMLElement
let list: List
let asked: string[]

beforeEach(() => {
  root = document.createElement('div')
  document.body.append(root)
  asked = []
  list = {
    settings: { mode: 'off', every_s: 10, park: false, camera: 0, fps: 25, budget_mb: 500, limit_mb: 2000, render_early: false, keep_failed: true },
    items: [film()], bytes: 1_000_000_000, limit_bytes: 2_000_000_000, recording: '', problem: '',
  }
  vi.stubGlobal('createImageBitmap', () => Promise.resolve({ width: 0, height: 0, close() {} }))
  vi.stubGlobal('fetch', (path: string, init?: RequestInit) => {
    asked.push(`${init?.method ?? 'GET'} ${path}`)
    if (path.startsWith('/v1/shots/')) return Promise.resolve(new Response('{"still_s":62,"park_s":720}'))
    const n = /frames\/(\d+)/.exec(path)?.[1]
    if (n) return Promise.resolve(new Response('jpeg', { headers: { Frame: n, 'Frame-Layer': String(Number(n) + 1), 'Frame-Taken-Ms': '1700000000000' } }))
    return Promise.resolve(path === '/v1/timelapses' ? new Response(JSON.stringify(list)) : new Response(null, { status: 204 }))
  })
})

afterEach(() => {
  act(() => {
    render(null, root)
    state.value = null
    films.value = null
    linkStatus.value = 'connecting'
  })
  root.remove()
  vi.unstubAllGlobals()
})

async function show(what: preact.ComponentChild, role: 'owner' | 'viewer' = 'owner', change: Partial<State> = {}): Promise<void> {
  await act(async () => {
    received(exampleState({ ...change, me: { id: 't', name: 't', role, via: 'cookie' } }))
    linkStatus.value = 'up'
    render(what, root)
    await Promise.resolve()
  })
}

async function comes<T>(check: () => T): Promise<T> {
  return vi.waitFor(async () => {
    await act(async () => Promise.resolve())
    return check()
  })
}

const open = async (name: RegExp) => {
  const row = await comes(() => getByRole(root, 'button', { name }))
  act(() => row.click())
  return getByRole(root, 'dialog')
}

it('lists films with their room, and plays a video', async () => {
  await show(<Films />)
  await comes(() => getByText(root, /1\.0 GB of 2\.0 GB are used \(50 %\)/))
  const sheet = await open(/cube/)
  expect(sheet.querySelector('video')?.getAttribute('src')).toBe('/v1/timelapses/f1/video')
  expect(getByRole(sheet, 'link', { name: 'Download' }).getAttribute('href')).toBe('/v1/timelapses/f1/video?download')
})

it('plays the frames when the browser cannot play the video, and says why there is none', async () => {
  await show(<Films />)
  const sheet = await open(/cube/)
  act(() => void fireEvent.error(sheet.querySelector('video')!))
  await comes(() => getByRole(sheet, 'slider', { name: 'Frame' }))
  list = { ...list, items: [film({ video: video('failed', 'ffmpeg failed: <b>x</b>') })] }
  await act(async () => {
    received(exampleState({ rev: 2, timelapses_rev: 2 }))
    await Promise.resolve()
  })
  await comes(() => getByText(sheet, /could not be made\. ffmpeg failed: <b>x<\/b> The frames are kept/))
  act(() => getByRole(sheet, 'button', { name: 'Try again' }).click())
  await comes(() => expect(asked).toContain('POST /v1/timelapses/f1/render'))
})

it('deletes only after a second question, and not for a viewer', async () => {
  await show(<Films />)
  await open(/cube/)
  act(() => getByRole(getByRole(root, 'dialog'), 'button', { name: 'Delete' }).click())
  expect(asked.some((a) => a.startsWith('DELETE'))).toBe(false)
  act(() => getByRole(getByRole(root, 'alertdialog'), 'button', { name: 'Delete' }).click())
  await comes(() => expect(asked).toContain('DELETE /v1/timelapses/f1'))
  await show(<Films />, 'viewer')
  const sheet = await open(/cube/)
  expect(queryByRole(sheet, 'button', { name: 'Delete' })).toBeNull()
})

it('goes through frames by their numbers, with layer and time, and fetches what comes next', async () => {
  await show(<FramePlayer id="f1" last={8} step={2} fps={25} />)
  await comes(() => getByText(root, /^Layer 1 · \d\d:\d\d:\d\d$/))
  await comes(() => expect(asked).toEqual(['GET /v1/timelapses/f1/frames/0', 'GET /v1/timelapses/f1/frames/2', 'GET /v1/timelapses/f1/frames/4', 'GET /v1/timelapses/f1/frames/6']))
  act(() => getByRole(root, 'button', { name: 'One frame on' }).click())
  await comes(() => getByText(root, /^Layer 3/))
  getByText(root, '2 of 5')
  act(() => getByRole(root, 'button', { name: 'Play' }).click())
  await comes(() => getByText(root, '5 of 5')) // it plays to the end
  await comes(() => getByRole(root, 'button', { name: 'Play' }))
  expect(new Set(asked).size).toBe(asked.length) // no frame twice
})

it('stays at the newest frame of a print until somebody moves away', async () => {
  const at = (last_n: number) => ({ id: 'f1', frames: last_n + 1, last_n, step: 1, problem: '' })
  await show(<LookBack now={at(5)} />)
  act(() => getByRole(root, 'button', { name: /Look back · 6 frames/ }).click())
  await comes(() => getByText(root, '6 of 6'))
  await show(<LookBack now={at(6)} />)
  await comes(() => getByText(root, '7 of 7'))
  act(() => getByRole(root, 'button', { name: 'One frame back' }).click())
  await show(<LookBack now={at(7)} />)
  await comes(() => getByText(root, '6 of 8'))
})

it('says why nothing is recorded', async () => {
  await show(<LookBack now={{ id: '', frames: 0, last_n: 0, step: 0, problem: 'The camera gave no picture when one was due.' }} />)
  getByText(root, /gave no picture/)
  expect(queryByRole(root, 'button')).toBeNull()
})

it('offers the settings before a print, and changes them for this one', async () => {
  const told: RecordChoice[] = []
  const camera = { id: 0, device: 'simulated', name: 'Cam', live: true, problem: '', width: 1, height: 1, fps: 1, since_ms: 1, dropped: 0 }
  await show(<RecordLine path="a b.gcode" value={null} disabled={false} onChange={(c) => told.push(c)} />, 'owner', { cameras: [camera] })
  const layer = await comes(() => getByRole(root, 'button', { name: 'By layer' }))
  expect(getByRole(root, 'button', { name: 'Off' }).getAttribute('aria-pressed')).toBe('true')
  act(() => layer.click())
  await show(<RecordLine path="a b.gcode" value={told[0]!} disabled={false} onChange={(c) => told.push(c)} />, 'owner', { cameras: [camera] })
  getByText(root, 'Adds about 1 min.')
  expect(asked).toContain('GET /v1/shots/a%20b.gcode')
  act(() => getByLabelText<HTMLInputElement>(root, /goes aside/).click())
  expect(told).toEqual([{ mode: 'layer', every_s: 10, park: false }, { mode: 'layer', every_s: 10, park: true }])
})
