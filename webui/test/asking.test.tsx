// A program that asks for a key: anybody can have the question come up, at any moment.
import { fireEvent, getByRole } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Asking } from '../src/parts/asking'
import { asks, link, linkStatus, loggedIn, received, state } from '../src/state'
import type { Doing } from '../src/wire'
import { exampleState } from './examples'

let root: HTMLElement
let told: Doing[]

beforeEach(() => {
  vi.useFakeTimers()
  root = document.createElement('div')
  document.body.append(root)
  told = []
  vi.spyOn(link, 'do').mockImplementation((doing) => {
    told.push(doing)
    return Promise.resolve({ type: 'answer', id: 'x', rev: 0, job: '', error: null })
  })
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
  vi.useRealTimers()
})

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
