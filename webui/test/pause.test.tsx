// Why a print stands still, and what the printer asks: as a finger and a screen reader meet it.
import { getByRole, getByTestId, queryByRole, queryByTestId } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { App, loadLater } from '../src/app'
import { go } from '../src/route'
import { linkStatus, loggedIn, received } from '../src/state'
import type { PauseInfo, State } from '../src/wire'
import { shelf } from '../src/shelf'
import { exampleShelf, exampleState } from './examples'
import { answer, onStage, root, told } from './stage'

onStage({ fetched: () => new Promise(() => {}) }) // the spools never come by themselves
beforeEach(() => { shelf.value = null })

const button = (name: string | RegExp) => getByRole<HTMLButtonElement>(root, 'button', { name })
const flush = () => act(async () => {
  await Promise.resolve()
})

function page(change: Partial<State> = {}): void {
  act(() => {
    loggedIn.value = true
    received(exampleState(change))
    linkStatus.value = 'up'
    render(<App />, root)
  })
}

/** Waits for a part that is fetched when it is first shown. */
const fetched = (name: string) => vi.waitFor(() => {
  act(() => {})
  button(name)
}, { timeout: 20_000 })

const later = (change: Partial<State>) => act(() => received(exampleState(change)))

const prompt = { id: 7, text: '<b>Paused</b>', buttons: ['PurgeMore', 'Continue'] }

describe('what the printer asks', () => {
  it('is shown as text, announced, and on top of every screen', () => {
    page({ prompt })
    expect(getByRole(root, 'group', { name: '<b>Paused</b>' }).querySelector('b')).toBeNull()
    expect(getByRole(root, 'status').textContent).toContain('It asks: <b>Paused</b>')
    expect(root.querySelector('.top-words')?.textContent).toContain('Asks: <b>Paused</b>')
  })

  it('an answer names the question, looks pending, and cannot be given twice', async () => {
    page({ rev: 10, prompt })
    act(() => button('Continue').click())
    expect(told).toEqual([{ do: 'answer', prompt: 7, button: 1 }])
    expect(button('Continue').className).toContain('busy')
    expect(button('PurgeMore').disabled).toBe(true)
    answer({ rev: 11 })
    await flush()
    expect(button('Continue').disabled).toBe(true)
    later({ rev: 11, prompt: { ...prompt, id: 8, text: 'Again?' } })
    expect(button('Continue').disabled).toBe(false)
    expect(queryByRole(root, 'group', { name: '<b>Paused</b>' })).toBeNull()
  })

  it('a refused answer says why, and can be given again', async () => {
    page({ prompt })
    act(() => button('PurgeMore').click())
    answer({ error: { code: 'old_prompt', message: 'The printer no longer asks this.', next: '', warnings: [], problems: [] } })
    await flush()
    expect(root.textContent).toContain('The printer no longer asks this.')
    expect(button('PurgeMore').disabled).toBe(false)
  })

  it('takes the focus when that is nowhere, and from nobody', () => {
    page()
    later({ rev: 11, prompt })
    expect(document.activeElement).toBe(getByTestId(root, 'prompt'))
    later({ rev: 12 })
    act(() => button('Pause').focus())
    later({ rev: 13, prompt: { ...prompt, id: 9 } })
    expect(document.activeElement).toBe(button('Pause'))
  })

  it('without buttons it can be put away', () => {
    page({ prompt: { id: 7, text: 'Reheating…', buttons: [] } })
    act(() => button('Close').click())
    expect(told).toEqual([{ do: 'answer', prompt: 7, button: -1 }])
  })

  it('a viewer may read it', () => {
    page({ prompt, me: { id: 'v', name: 'v', role: 'viewer', via: 'cookie' } })
    expect(getByTestId(root, 'prompt').textContent).toContain(prompt.text)
    expect(queryByRole(root, 'button', { name: 'Continue' })).toBeNull()
  })
})

describe('a pause', () => {
  const why: PauseInfo = { by: 'file', message: 'Insert the <i>nut</i>', filament: false, layer: 0, held: false, shift: null }

  it('by the file shows its words, as text, and Resume is one tap', () => {
    page({ state: 'pausing', pause: why })
    const card = getByTestId(root, 'pause')
    expect(card.textContent).toContain('Insert the <i>nut</i>')
    expect(card.querySelector('i')).toBeNull()
    expect(card.textContent).toContain('The head is still moving.')
    later({ rev: 11, state: 'paused', pause: why })
    expect(getByTestId(root, 'pause').textContent).toContain('Tap Resume')
    act(() => button('Resume').click())
    expect(told).toEqual([{ do: 'resume', job: 'j1' }])
  })

  it('by a person needs no words', () => {
    page({ state: 'paused', pause: { by: 'person', message: '', filament: false, layer: 0, held: false, shift: null } })
    expect(queryByTestId(root, 'pause')).toBeNull()
  })

  it('by the firmware leaves the walk-through to it', () => {
    page({ state: 'paused', waiting: 'paused for user', pause: { by: 'runout', message: '', filament: true, layer: 0, held: true, shift: null }, prompt })
    const card = getByTestId(root, 'pause')
    expect(card.textContent).toContain('The filament has run out')
    expect(card.textContent).toContain('answer its question above')
    expect(queryByRole(root, 'button', { name: /Unload/ })).toBeNull()
    expect(root.textContent).not.toContain('The printer waits for you')
  })

  it('for a new filament leads through the change', async () => {
    const filament: PauseInfo = { by: 'file', message: '', filament: true, layer: 0, held: false, shift: null }
    page({ rev: 10, state: 'paused', pause: filament })
    await fetched('Unload 100 mm')
    expect(getByTestId(root, 'pause').textContent).toContain('The nozzle stays hot: 215 °C.')
    act(() => button('Unload 100 mm').click()) // the first pull pushes a little before
    expect(told).toEqual([{ do: 'extrude', by_mm: 5 }])
    expect(button('Unload 100 mm').disabled).toBe(true)
    answer({ rev: 11 })
    await flush()
    expect(told.slice(1)).toEqual([{ do: 'extrude', by_mm: -100, mm_s: 10 }])
    answer({ rev: 11 })
    await flush()
    later({ rev: 11, state: 'paused', pause: filament })
    act(() => button('Unload 100 mm').click())
    expect(told.slice(2)).toEqual([{ do: 'extrude', by_mm: -100, mm_s: 10 }])
    answer({ rev: 12 })
    await flush()
    later({ rev: 12, state: 'paused', pause: filament })
    act(() => button('Load 50 mm').click())
    act(() => button('Purge 20 mm').click())
    expect(told.slice(3)).toEqual([{ do: 'extrude', by_mm: 50, mm_s: 5 }, { do: 'extrude', by_mm: 20 }])
    act(() => button('PETG 230°').click())
    expect(told.slice(5)).toEqual([{ do: 'set_nozzle', tool: 0, target_c: 230 }])
    expect(button('Resume').disabled).toBe(false)
  })

  it('asks which spool is on now', async () => {
    page({ state: 'paused', pause: { by: 'runout', message: '', filament: true, layer: 0, held: false, shift: null } })
    await fetched('Unload 100 mm')
    act(() => {
      shelf.value = exampleShelf()
    })
    const choice = getByRole<HTMLSelectElement>(root, 'combobox', { name: 'Spool that is on' })
    expect([...choice.options].map((o) => o.textContent)).toEqual(['None of these', 'PLA orange, 8.10 m left', 'PETG, empty'])
    act(() => {
      choice.value = '1'
      choice.dispatchEvent(new Event('change', { bubbles: true }))
    })
    expect(told).toEqual([{ do: 'set_spool', tool: 0, spool_id: 1 }])
  })

  it('asks it too where the firmware leads through the change', async () => {
    page({ state: 'paused', pause: { by: 'file', message: '', filament: true, layer: 0, held: true, shift: null } })
    await act(() => import('../src/parts/change').then(() => {}))
    await vi.waitFor(() => {
      act(() => {
        shelf.value = exampleShelf()
      })
      getByRole(root, 'combobox', { name: 'Spool that is on' })
    }, { timeout: 20_000 })
    expect(queryByRole(root, 'button', { name: /Unload/ })).toBeNull()
  })

  it('moves no filament through a cold nozzle, and offers to heat it', async () => {
    page({ state: 'paused', pause: { by: 'runout', message: '', filament: true, layer: 0, held: false, shift: null }, nozzles: [{ actual_c: 40, target_c: 0 }] })
    await fetched('Unload 100 mm')
    expect(getByTestId(root, 'pause').textContent).toContain('filament moves at 170 °C or more')
    expect(button('Unload 100 mm').disabled).toBe(true)
    expect(button('PLA 200°').disabled).toBe(false)
  })
})

describe('the Move screen', () => {
  it('changes filament while nothing is printed', async () => {
    act(() => go('move'))
    await loadLater()
    page({ state: 'idle', job: null })
    act(() => button('Change filament').click())
    await fetched('Unload 100 mm')
    expect(root.textContent).not.toContain('tap Resume')
    act(() => button('Load 50 mm').click())
    act(() => button('Done, and cool down').click())
    expect(told).toEqual([{ do: 'extrude', by_mm: 50, mm_s: 5 }, { do: 'set_nozzle', tool: 0, target_c: 0 }])
    expect(queryByRole(root, 'dialog')).toBeNull()
  })
})
