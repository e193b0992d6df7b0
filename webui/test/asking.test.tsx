// A program that asks for a key: anybody can have the question come up, at any moment.
import { fireEvent, getByRole } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { expect, it, vi } from 'vitest'
import { Asking } from '../src/parts/asking'
import { linkStatus, loggedIn, received } from '../src/state'
import { exampleState } from './examples'
import { onStage, root, told } from './stage'

onStage({ atMS: Date.now(), agreed: true })

it('takes no Allow from a finger that was on its way to something else', async () => {
  act(() => {
    loggedIn.value = true
    received(exampleState({ asking: [{ id: 'r1', app: '<b>Cura</b>', from: '10.0.0.7', at_ms: 1 }] }))
    linkStatus.value = 'up'
    render(<Asking />, root)
  })
  const allow = getByRole(root, 'button', { name: 'Allow' })
  const tap = () => act(async () => {
    fireEvent.click(allow)
    await Promise.resolve()
  })
  expect(root.textContent).toContain('<b>Cura</b>')
  await tap()
  expect(told).toEqual([])
  await act(async () => { await vi.advanceTimersByTimeAsync(1000) })
  await tap()
  expect(told).toEqual([{ do: 'allow_app', app: 'r1', role: 'operator' }])
})
