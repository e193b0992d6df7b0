// The setting for curves as arcs, and the start that waits for a file to be prepared.
import { getByLabelText, getByRole, getByText } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { expect, it, vi } from 'vitest'
import { PreparingCard } from '../src/parts/preparing'
import { SendingScreen } from '../src/screens/sending'
import { choices, linkStatus, state } from '../src/state'
import golden from '../../internal/server/testdata/wire/choices.json'
import { exampleState } from './examples'
import { answer, onStage, root, told } from './stage'

let sent: object = golden
onStage({ fetched: () => Promise.resolve(new Response(JSON.stringify(sent))) })

const show = async (role: 'owner' | 'operator', change: object) => {
  sent = { ...golden, ...change }
  act(() => {
    choices.value = null
    linkStatus.value = 'up'
    state.value = exampleState({ state: 'idle', job: null, me: { id: 't', name: 'x', role, via: 'session' } })
    render(<SendingScreen />, root)
  })
  await vi.waitFor(() => getByLabelText(root, 'Print curves as arcs'))
  return getByLabelText<HTMLInputElement>(root, 'Print curves as arcs')
}

it('is switched by an owner, and says whether the firmware can', async () => {
  const box = await show('owner', { fit_arcs: false, knows_arcs: true })
  expect(box.checked).toBe(false)
  getByText(root, 'The firmware of this printer knows arcs.')
  act(() => box.click())
  expect(told).toEqual([{ do: 'set_fit_arcs', on: true }])
  expect(box.disabled).toBe(true)
  sent = { ...golden, fit_arcs: true, knows_arcs: false }
  act(() => answer({}))
  await vi.waitFor(() => getByText(root, /does not say that it knows arcs/))
  expect(box.checked).toBe(true)
  expect(box.disabled).toBe(false)
})

it('shows what was refused', async () => {
  const box = await show('owner', { fit_arcs: false, knows_arcs: true })
  act(() => box.click())
  act(() => answer({ error: { code: 'no_space', message: 'The disk is full.', next: 'Delete files.', warnings: [], problems: [] } }))
  await vi.waitFor(() => expect(getByRole(root, 'alert').textContent).toBe('The disk is full. Delete files.'))
  expect(box.checked).toBe(false)
})

it('is not for others to switch', async () => {
  expect((await show('operator', { fit_arcs: true, knows_arcs: true })).disabled).toBe(true)
})

it('tells of a print that is prepared, and calls it off', () => {
  act(() => {
    linkStatus.value = 'up'
    state.value = exampleState({ state: 'idle', job: null, preparing: { file: 'a/vase.gcode', name: 'vase.gcode', by: 'Kim' } })
    render(<PreparingCard />, root)
  })
  getByText(root, 'Preparing vase.gcode…')
  act(() => getByRole(root, 'button', { name: 'Cancel' }).click())
  expect(told).toEqual([{ do: 'cancel', job: '' }])
})
