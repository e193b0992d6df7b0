// The guard on the Print screen: the chip and its sheet, the alarm that cannot be missed, and what can be done about it.
import { fireEvent, getByLabelText, getByRole, getByTestId, queryByRole, queryByTestId } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { describe, expect, it, vi } from 'vitest'
import { App } from '../src/app'
import type { Alarm, Guard } from '../src/guard'
import { guardSheet, linkStatus, loggedIn, received } from '../src/state'
import type { State } from '../src/wire'
import { exampleAlarm, exampleGuard, exampleState, job, seenLayer, witness } from './examples'
import { answer, onStage, root, told } from './stage'

onStage({ fetched: () => new Promise(() => {}) })

const button = (name: string | RegExp) => getByRole<HTMLButtonElement>(root, 'button', { name })
const tap = (name: string | RegExp) => act(() => button(name).click())
const flush = () => act(async () => {
  await new Promise((resolve) => setTimeout(resolve))
})

const shift = { by: 'shift', message: '', filament: false, layer: 0, held: false, shift: null }
const watched = (change: Partial<Guard> = {}) => exampleGuard({
  mode: 'pause', job: 'j1', camera: witness({ status: 'ready', detects_x_mm: 0.5, detects_y_mm: 0.5 }), endstops: witness({ status: 'ready', at_ms: 1_700_000_000_000, said: 'X and Y are right.' }),
  firmware: witness({ status: 'ready' }), layers: [seenLayer(142, 0, 0, { check: 'right' }), seenLayer(143, 1.6, 0, { check: 'lost' })], ...change,
})
let rev = 10
const shows = (change: Partial<State>) => act(() => received(exampleState({ rev: ++rev, ...change })))
const alarmed = (change: Partial<Alarm> = {}, state: Partial<State> = {}) => ({ state: 'paused' as const, pause: shift, job: { ...job, rehomed: change.rehoming ?? null }, guard: watched({ alarm: exampleAlarm(change) }), ...state })

async function page(change: Partial<State>, seen: string): Promise<void> {
  rev = 10
  act(() => {
    guardSheet.value = ''
    loggedIn.value = true
    received(exampleState(change))
    linkStatus.value = 'up'
    render(<App />, root)
  })
  await vi.waitFor(() => {
    act(() => {})
    getByTestId(root, seen)
  }, { timeout: 20_000 })
}

async function sheet(change: Partial<Alarm> = {}, state: Partial<State> = {}): Promise<HTMLElement> {
  await page(alarmed(change, state), 'alarm')
  tap(/See/)
  return getByRole(root, 'dialog')
}

describe('while it prints', () => {
  it('the chip opens what watches, in plain words, and a check can be asked for', async () => {
    await page({ guard: watched({ card: { made_ms: 1, endstops: { x: noSwitch, y: noSwitch, made_ms: 1, machine: '' }, check_s: 4.8, camera: 0, camera_w: '', x_mm: 0.5, y_mm: 0.5, px_per_mm: 3, bed_moves: true } }) }, 'guard-chip')
    expect(getByTestId(root, 'guard-chip').textContent).toBe('Watching · sees 0.5 mm')
    tap(/^Watching/)
    const text = getByRole(root, 'dialog').textContent
    for (const words of ['Sees 0.5 mm or more', 'X and Y are right.', 'for about 5 s', 'The last 2 layers']) expect(text).toContain(words)
    expect(getByRole(root, 'img', { name: /1 of them wrong/ })).toBeTruthy()
    tap('Check now')
    expect(told).toEqual([{ do: 'guard_check', job: 'j1' }])
    expect(button('Check now').disabled).toBe(true)
    answer({})
    await flush()
    expect(root.textContent).toContain('It is checked at the end of this layer, or sooner.')
    expect(button('Check now').disabled).toBe(false)
  })

  it('layers of another print are not shown as this one\'s, and without endstops there is no check', async () => {
    await page({ guard: watched({ job: 'j0', endstops: witness({ status: 'unable', why: 'The switch never closed.' }) }) }, 'guard-chip')
    tap(/^Watching/)
    expect(root.textContent).not.toContain('The last 2 layers')
    expect(root.textContent).toContain('Cannot be used: the switch never closed')
    expect(button('Check now').disabled).toBe(true)
  })

  it('a blind camera is told as such', async () => {
    await page({ guard: watched({ camera: witness({ status: 'blind', why: 'It is too dark.' }), endstops: witness() }) }, 'guard-chip')
    expect(getByTestId(root, 'guard-chip').textContent).toBe('Camera blind: too dark')
    expect(getByTestId(root, 'guard-chip').className).toContain('tone-warn')
  })

  it('an alarm that only tells can be put away, called false, or end the print; re-homing waits for a pause', async () => {
    await page({ guard: watched({ mode: 'tell', alarm: exampleAlarm({ paused: false }) }) }, 'alarm')
    expect(getByTestId(root, 'alarm').textContent).toContain('The print goes on, because it was set to tell only.')
    tap(/See/)
    expect(button(/Re-home/).disabled).toBe(true)
    expect(button('Resume as it is').disabled).toBe(true)
    tap(/^Seen/)
    expect(told).toEqual([{ do: 'guard_seen', job: 'j1' }])
  })
})

const noSwitch = { usable: false, why: '', at_mm: 0, max: false, spread_mm: 0, hysteresis_mm: 0, overtravel_mm: 0, threshold_mm: 0, steps_per_mm: 0, limits_mm: null }

describe('an alarm', () => {
  it('takes the place of the sheet that says all is well', async () => {
    await page({ guard: watched() }, 'guard-chip')
    tap(/^Watching/)
    shows(alarmed())
    expect(getByRole(root, 'dialog', { name: 'Layer shift' })).toBeTruthy()
  })

  it('says one sentence, as text, on a card and in the sheet that Resume opens too', async () => {
    await page(alarmed(), 'alarm')
    expect(getByRole(root, 'alert', { name: 'Layer shift' }).textContent).toContain('1.6 mm right of where it should be (8 lost steps), since layer 142.')
    expect(queryByTestId(root, 'pause')).toBeNull()
    expect(queryByRole(root, 'button', { name: 'Resume' })).toBeNull()
    tap('What now?')
    expect(told).toEqual([])
    const text = getByRole(root, 'dialog').textContent
    for (const words of ['The part has about 2 spoiled layers, from layer 142 on.', 'further <b>right</b>.', 'X is off by 1.6 mm.']) expect(text).toContain(words)
    expect(text).toContain('Before: after layer 15. Now: after layer 17.')
    expect([...root.querySelectorAll('.blink img')].map((img) => img.getAttribute('src'))).toEqual(['/v1/guard/7/before', '/v1/guard/7/after'])
  })

  it('of a part that has moved offers no re-homing, for the head is right', async () => {
    await page(alarmed({ part: true, confirmed: false, sentence: 'The part may have moved: its newest layers lie 2.1 mm to the right of the older ones, and the head is where it should be.' }), 'alarm')
    expect(getByRole(root, 'alert', { name: 'The part may have moved' }).textContent).not.toContain('have not confirmed')
    tap('What now?')
    expect(queryByRole(root, 'button', { name: /Re-home/ })).toBeNull()
    expect(button('Resume as it is')).toBeTruthy()
  })

  it('the pictures fade by the slider, and the earlier one is there while the button is held', async () => {
    await sheet()
    const slider = getByRole<HTMLInputElement>(root, 'slider', { name: 'Before' })
    const says = () => [getByTestId(root, 'blink-says').textContent, root.querySelectorAll<HTMLElement>('.blink img')[1]?.style.opacity]
    expect(says()).toEqual(['Now', '1'])
    act(() => {
      slider.value = '40'
      slider.dispatchEvent(new Event('input', { bubbles: true }))
    })
    expect(says()).toEqual(['60 % before', '0.4'])
    const hold = button('Hold: before')
    for (const [down, up] of [
      [() => fireEvent.pointerDown(hold, { button: 0 }), () => fireEvent.pointerUp(hold)], [() => fireEvent.keyDown(hold, { key: ' ' }), () => fireEvent.keyUp(hold, { key: ' ' })],
      [() => fireEvent.keyDown(hold, { key: 'Enter' }), () => fireEvent.blur(hold)], [() => fireEvent.pointerDown(hold, { button: 0 }), () => fireEvent.pointerCancel(hold)],
    ] as const) {
      act(() => void down())
      expect(says()).toEqual(['Before', '0'])
      act(() => void up())
      expect(says()).toEqual(['60 % before', '0.4'])
    }
    act(() => hold.click()) // a screen reader
    expect(says()).toEqual(['Before', '0'])
    expect(root.querySelector<HTMLElement>('.blink img')?.style.width).toBe('200%')
    tap('Whole picture')
    expect(root.querySelector<HTMLElement>('.blink img')?.style.width).toBe('100%')
    act(() => void fireEvent.error(root.querySelector('.blink img')!))
    expect(root.textContent).toContain('The pictures could not be loaded.')
  })

  it('has no pictures before they are kept', async () => {
    expect((await sheet({ id: 0 })).textContent).toContain('There are no pictures')
  })

  it('re-homing is asked once, shows how it goes, and the print goes on when two checks agree', async () => {
    await sheet()
    tap(/^Re-home X and Y, and resume/)
    expect(told).toEqual([])
    tap('Re-home and resume')
    expect(told).toEqual([{ do: 'rehome', job: 'j1' }])
    expect(button(/^Re-home X and Y/).disabled).toBe(true)
    answer({ rev: 12 })
    await flush()
    shows(alarmed({ rehoming: { running: false, at_ms: 1, ok: true, reason: '' } })) // of an earlier one
    expect(told).toHaveLength(1)
    shows(alarmed({ rehoming: { running: true, at_ms: 2, ok: false, reason: '' } }))
    expect(root.querySelector('dialog')?.textContent).toContain('Keep your hands out of the printer.')
    expect(button('False alarm').disabled).toBe(true)
    shows(alarmed({ rehoming: { running: false, at_ms: 3, ok: true, reason: '' } }))
    await flush()
    expect(told).toEqual([{ do: 'rehome', job: 'j1' }, { do: 'resume', job: 'j1' }])
  })

  it('re-homing that fails is said plainly, and nothing goes on', async () => {
    await sheet()
    tap(/^Re-home X and Y, and resume/)
    tap('Re-home and resume')
    answer({ rev: 11 })
    shows(alarmed({ rehoming: { running: true, at_ms: 2, ok: false, reason: '' } }))
    await flush()
    shows(alarmed({ rehoming: { running: false, at_ms: 3, ok: false, reason: 'The switch of X did not close.' } }))
    await flush()
    expect(told).toHaveLength(1)
    expect(root.querySelector('dialog')?.textContent).toContain('Re-homing did not work. The switch of X did not close.')
    expect(button(/^Re-home X and Y once more/).disabled).toBe(false)
    shows(alarmed({ rehoming: { running: false, at_ms: 4, ok: true, reason: '' } })) // somebody else has, meanwhile
    await flush()
    expect(told).toHaveLength(1)
  })

  it('after a re-homing that failed, resuming as it is must be allowed by who has looked', async () => {
    const failed = { running: false, at_ms: 3, ok: false, reason: 'The <i>switch</i> of X did not close.' }
    await sheet({ rehoming: failed })
    tap('Resume as it is')
    const asks = getByRole(root, 'alertdialog', { name: "The head's place is not proven" })
    expect(asks.textContent).toContain('The <i>switch</i> of X did not close.')
    expect(button('Resume as it is').disabled).toBe(true)
    act(() => getByLabelText(root, /I have looked/).click())
    tap('Resume as it is')
    expect(told).toEqual([{ do: 'resume', job: 'j1', anyway: true }])
  })

  it('and it may be homed once more instead, or stopped, which is asked', async () => {
    await sheet({ rehoming: { running: false, at_ms: 3, ok: false, reason: '' } })
    tap('Resume as it is')
    tap('Re-home X and Y once more')
    expect(told).toEqual([{ do: 'rehome', job: 'j1' }])
    answer({ error: { code: 'no_check', message: 'No.', next: '', warnings: [], problems: [] } })
    await flush()
    tap('Resume as it is')
    tap('Stop the print')
    tap('Back')
    expect(getByRole(root, 'alertdialog', { name: "The head's place is not proven" })).toBeTruthy()
    tap('Stop the print')
    expect(told).toHaveLength(1)
    tap('Stop print')
    expect(told[1]).toEqual({ do: 'cancel', job: 'j1' })
  })

  it('and calling it a false alarm does not let it go on unasked', async () => {
    const rehomed = { running: false, at_ms: 3, ok: false, reason: 'No.' }
    await sheet({ rehoming: rehomed })
    tap('False alarm')
    tap('It was a false alarm')
    answer({})
    await flush()
    expect(told).toEqual([{ do: 'false_alarm', job: 'j1' }])
    shows({ state: 'paused', pause: shift, job: { ...job, rehomed }, guard: watched() })
    tap('What now?')
    expect(getByRole(root, 'alertdialog', { name: "The head's place is not proven" })).toBeTruthy()
    expect(button('Resume as it is').disabled).toBe(true)
  })

  it('a refusal, and a print that went another way meanwhile, end the waiting', async () => {
    await sheet()
    tap(/^Re-home X and Y, and resume/)
    tap('Re-home and resume')
    answer({ error: { code: 'link_lost', message: 'The link was lost.', next: '', warnings: [], problems: [] } })
    await flush()
    shows(alarmed({ rehoming: { running: false, at_ms: 3, ok: true, reason: '' } }))
    await flush()
    expect(told).toHaveLength(1)
    expect(root.textContent).toContain('The link was lost.')
    expect(getByRole(root, 'dialog').textContent).toContain('two checks agree')
    tap('Resume')
    expect(told[1]).toEqual({ do: 'resume', job: 'j1' })
  })

  it.each([
    ['Resume as it is', 'Resume as it is', [{ do: 'resume', job: 'j1' }]],
    ['Stop the print', 'Stop print', [{ do: 'cancel', job: 'j1' }]],
    ['False alarm', 'False alarm, resume', [{ do: 'false_alarm', job: 'j1' }, { do: 'resume', job: 'j1' }]],
  ])('%s asks once', async (first, then, want) => {
    await sheet()
    tap(first)
    expect(told).toEqual([])
    tap('Back')
    tap(first)
    tap(then)
    answer({})
    await flush()
    expect(told).toEqual(want)
  })

  it('without a link nothing can be asked; a viewer sees the evidence, and no buttons', async () => {
    await sheet({}, { me: { id: 'v', name: 'v', role: 'viewer', via: 'session' } })
    expect(queryByRole(root, 'button', { name: /Re-home|Resume|False|Stop/ })).toBeNull()
    expect(root.querySelectorAll('.blink img')).toHaveLength(2)
    act(() => received(exampleState({ rev: ++rev, ...alarmed() })))
    act(() => {
      linkStatus.value = 'lost'
    })
    for (const name of [/^Re-home/, 'Resume as it is', 'False alarm', 'Stop the print']) expect(button(name).disabled).toBe(true)
  })

  it('one that was answered leaves the way on', async () => {
    await page({ state: 'paused', pause: shift, guard: watched() }, 'state')
    await vi.waitFor(() => {
      act(() => {})
      expect(root.textContent).toContain('Paused because of a layer shift')
    }, { timeout: 20_000 })
    tap('What now?')
    tap('Resume')
    expect(told).toEqual([{ do: 'resume', job: 'j1' }])
  })
})
