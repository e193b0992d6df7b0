// What is hot while nobody prints: the countdown, what has been switched off, and the times in the settings.
import { getByLabelText, getByRole, getByTestId, queryByTestId } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { describe, expect, it } from 'vitest'
import { cooledText, HeatCard, Protection } from '../src/parts/keeper'
import { SafetyScreen } from '../src/screens/safety'
import { link, linkStatus, received } from '../src/state'
import type { Keeper, State } from '../src/wire'
import { exampleState } from './examples'
import { onStage, root, told } from './stage'

onStage({ agreed: true })

function kept(change: Partial<Keeper>, more: Partial<State> = {}): State {
  const s = exampleState({ state: 'paused', ...more })
  return { ...s, keeper: { ...s.keeper, ...change } }
}

function cards(s: State): void {
  act(() => {
    received(s)
    linkStatus.value = 'up'
    render(<><HeatCard s={s} /><Protection protection={s.keeper.protection} /></>, root)
  })
}

describe('the card of heat', () => {
  it('counts down, and keeps warm', () => {
    const now = link.clock.now()
    cards(kept({ nozzle_off_ms: now + 9.5 * 60_000, bed_off_ms: now + 119.5 * 60_000 }))
    expect(getByRole(root, 'timer').textContent).toMatch(/^Nozzle off in 9 min.* · Bed off in 1 h 59 min/)
    act(() => getByRole(root, 'button', { name: 'Keep warm' }).click())
    expect(told).toEqual([{ do: 'keep_warm' }])
  })
  it('says what was switched off, and that Resume heats it', () => {
    cards(kept({ nozzle_cooled_ms: 1_700_000_000_000 }))
    expect(getByTestId(root, 'keeper').textContent).toMatch(/The nozzle was switched off at \d\d:\d\d\. Resume heats it again/)
  })
  it('says when somebody else has heated', () => {
    cards(kept({ nozzle_off_ms: link.clock.now() + 1000, elsewhere: true }, { state: 'idle', job: null }))
    expect(getByTestId(root, 'keeper').textContent).toContain('It was not layerd that heated it')
  })
  it('is not there when there is nothing to say', () => {
    cards(kept({}))
    expect(queryByTestId(root, 'keeper')).toBeNull()
    expect(queryByTestId(root, 'protection')).toBeNull()
  })
  it.each([['off', 'is off'], ['unknown', 'does not say']])('warns of protection that is %s', (protection, words) => {
    cards(kept({ protection }))
    expect(getByTestId(root, 'protection').textContent).toContain(words)
  })
  it.each([[0, 0, ''], [1_700_000_000_000, 0, 'The nozzle was'], [0, 1_700_000_000_000, 'The bed was'], [1_700_000_000_000, 1_700_000_000_000, 'The nozzle was']])('%d, %d', (nozzle, bed, words) => {
    expect(cooledText({ nozzle_cooled_ms: nozzle, bed_cooled_ms: bed })).toMatch(words ? new RegExp(`^${words}`) : /^$/)
  })
})

describe('the times in the settings', () => {
  const shown = (s: State) => act(() => {
    received(s)
    linkStatus.value = 'up'
    render(<SafetyScreen />, root)
  })
  const field = () => getByLabelText<HTMLInputElement>(root, /Anything hot without a print/)
  const type = (text: string) => act(() => {
    field().value = text
    field().dispatchEvent(new Event('input', { bubbles: true }))
  })
  it('are shown, checked and saved', async () => {
    shown(exampleState())
    const save = getByRole<HTMLButtonElement>(root, 'button', { name: 'Save' })
    expect(field().value).toBe('30')
    expect(save.disabled).toBe(true)
    for (const bad of ['', '0', '1441', '-5']) {
      type(bad)
      expect(field().getAttribute('aria-invalid')).toBe('true')
      expect(save.disabled).toBe(true)
    }
    type('45')
    await act(async () => save.click())
    expect(told).toEqual([{ do: 'set_cooling', cooling: { standing_nozzle_min: 10, standing_bed_min: 120, idle_min: 45 } }])
  })
  it('are the owner’s', () => {
    shown(exampleState({ me: { id: 't', name: 'p', role: 'operator', via: 'cookie' } }))
    expect(field().disabled).toBe(true)
  })
})
