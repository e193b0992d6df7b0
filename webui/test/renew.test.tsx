// A new version that waits: said in Settings, and an owner may let it take over when nothing prints.
import { fireEvent, getByRole, queryByRole, queryByText } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { SettingsScreen } from '../src/screens/settings'
import { asks, link, linkStatus, received, state } from '../src/state'
import type { Doing, State } from '../src/wire'
import { exampleState } from './examples'

let root: HTMLElement
let told: Doing[]

beforeEach(() => {
  root = document.createElement('div')
  document.body.append(root)
  told = []
  vi.spyOn(link, 'do').mockImplementation((doing) => {
    told.push(doing)
    return Promise.resolve({ type: 'answer', id: '1', rev: 1, job: '', error: null })
  })
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('{}', { status: 404 })))
  linkStatus.value = 'up'
  location.hash = '#/settings'
})
afterEach(() => {
  act(() => {
    render(null, root)
    state.value = null
    asks.value = new Map()
    linkStatus.value = 'connecting'
  })
  root.remove()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

async function show(change: Partial<State>) {
  received(exampleState({ state: 'idle', job: null, ...change }))
  await act(async () => render(<SettingsScreen />, root))
}

it('says nothing while there is none', async () => {
  await show({ new_version: false })
  expect(queryByText(root, /new version/)).toBeNull()
})

it('lets an owner restart, not in mid-print', async () => {
  await show({ new_version: true })
  fireEvent.click(getByRole(root, 'button', { name: 'Restart now' }))
  expect(told).toEqual([{ do: 'restart' }])
  await act(async () => received(exampleState({ rev: 20, new_version: true })))
  expect((getByRole(root, 'button', { name: 'Restart now' }) as HTMLButtonElement).disabled).toBe(true)
})

it('only says so to others', async () => {
  await show({ new_version: true, me: { id: 't1', name: 'phone', role: 'viewer', via: 'session' } })
  expect(queryByText(root, /A new version is installed/)).not.toBeNull()
  expect(queryByRole(root, 'button', { name: 'Restart now' })).toBeNull()
})
