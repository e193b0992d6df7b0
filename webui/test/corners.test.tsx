// The corners of the bed, as they are shown to the guard: by finger with a loupe, by arrow keys; and what happens when the part has moved.
import { getByRole, getByTestId, queryByRole, queryByTestId } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { describe, expect, it } from 'vitest'
import type { Guard } from '../src/guard'
import { Witnesses } from '../src/parts/guardsheet'
import { ShiftsPage } from '../src/screens/shifts'
import { linkStatus, notices, received } from '../src/state'
import { exampleGuard, exampleState, witness } from './examples'
import { answer, onStage, root, told } from './stage'

onStage()

const card: Guard['card'] = {
  made_ms: 1, endstops: { x: end(), y: end(), made_ms: 1, machine: '' }, check_s: 4, camera: 0, camera_w: '', x_mm: 0.5, y_mm: 0.9, px_per_mm: 2.7, bed_moves: true,
}
function end() {
  return { usable: true, why: '', at_mm: 0, max: false, spread_mm: 0.02, hysteresis_mm: 0, overtravel_mm: 1, threshold_mm: 0.35, steps_per_mm: 80, limits_mm: null }
}
const button = (name: string | RegExp) => getByRole<HTMLButtonElement>(root, 'button', { name })
const tap = (name: string | RegExp) => act(() => button(name).click())
const flush = () => act(async () => {
  await new Promise((resolve) => setTimeout(resolve))
})
let rev = 10
const shows = (g: Partial<Guard>) => act(() => received(exampleState({ rev: ++rev, state: 'idle', job: null, guard: exampleGuard(g) })))
function page(g: Partial<Guard>) {
  act(() => {
    linkStatus.value = 'up'
  })
  shows({ card, bed_ms: 7, ...g })
  act(() => render(<ShiftsPage />, root))
}

/** The picture has come, and is shown half as big as it is. */
function pictured() {
  const img = root.querySelector<HTMLImageElement>('.corners img')
  if (!img) throw new Error('there is no picture')
  Object.defineProperties(img, { naturalWidth: { value: 800 }, naturalHeight: { value: 600 }, getBoundingClientRect: { value: () => new DOMRect(100, 50, 400, 300) } })
  act(() => void img.dispatchEvent(new Event('load')))
}
const finger = (type: string, x: number, y: number) => act(() => void getByTestId(root, 'corners').dispatchEvent(new PointerEvent(type, { clientX: 100 + x, clientY: 50 + y, pointerId: 1, bubbles: true, cancelable: true })))
const touch = (x: number, y: number) => {
  finger('pointerdown', x, y)
  finger('pointerup', x, y)
}

describe('the corners of the bed', () => {
  it('are offered where the set-up has a picture', () => {
    page({ bed_ms: 0 })
    expect(queryByRole(root, 'button', { name: /corners/ })).toBeNull()
    shows({ card, bed_ms: 7 })
    expect(root.textContent).toContain('Let it look at the print, too')
  })

  it('are touched one after the other, seen bigger under the finger, moved, and kept', async () => {
    page({})
    tap('Show the corners')
    expect(root.querySelector('.corners img')?.getAttribute('src')).toBe('/v1/guard/bed?v=7')
    pictured()
    expect(getByRole(root, 'status').textContent).toContain('front left')
    finger('pointerdown', 40, 250)
    expect(getByTestId(root, 'loupe').className).toContain('at-right')
    finger('pointermove', 50, 260)
    finger('pointerup', 50, 260)
    expect(queryByTestId(root, 'loupe')).toBeNull()
    expect(getByRole(root, 'status').textContent).toContain('front right')
    touch(350, 260)
    expect(button('Keep them').disabled).toBe(true)
    touch(300, 100)
    touch(100, 100)
    touch(200, 200) // there are four: nothing is near
    finger('pointerdown', 110, 105) // the fourth is moved
    finger('pointermove', 120, 110)
    finger('pointerup', 120, 110)
    act(() => void button(/front left corner/).dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true })))
    act(() => void button(/front left corner/).dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp', shiftKey: true, bubbles: true })))
    tap('Keep them')
    expect(told).toEqual([{ do: 'guard_corners', corners: [[101, 510], [700, 520], [600, 200], [240, 220]] }])
    answer({ error: { code: 'bad_corners', message: 'They are not round the bed.', next: '', warnings: [], problems: [] } })
    await flush()
    expect(notices.value.at(-1)?.text).toBe('They are not round the bed.')
    expect(getByRole(root, 'dialog')).toBeTruthy()
    tap('Begin anew')
    expect(getByRole(root, 'status').textContent).toContain('front left')
    expect(root.querySelectorAll('.corner')).toHaveLength(0)
  })

  it('stay in the picture, and close when they are kept', async () => {
    page({})
    tap('Show the corners')
    pictured()
    for (const [x, y] of [[-30, 400], [900, 400], [300, 100], [100, 100]] as const) touch(x, y)
    tap('Keep them')
    expect(told).toEqual([{ do: 'guard_corners', corners: [[0, 600], [800, 600], [600, 200], [200, 200]] }])
    answer({ rev: 11 })
    await flush()
    expect(queryByRole(root, 'dialog')).toBeNull()
  })

  it('say when there is no picture', () => {
    page({})
    tap('Show the corners')
    act(() => void root.querySelector('.corners img')?.dispatchEvent(new Event('error')))
    expect(root.textContent).toContain('The picture could not be loaded.')
    expect(button('Keep them').disabled).toBe(true)
  })
})

describe('a part that may have moved', () => {
  it('pauses the print, or is told', () => {
    page({ corners: [[1, 9], [9, 9], [7, 4], [3, 4]] })
    expect(root.textContent).toContain('When the part has moved')
    const choices = getByRole(root, 'group', { name: 'When the part may have moved' })
    expect(getByRole(choices, 'button', { name: 'Pause' }).getAttribute('aria-pressed')).toBe('true')
    act(() => getByRole(choices, 'button', { name: 'Tell me' }).click())
    expect(told).toEqual([{ do: 'set_guard', guard: { mode: 'pause', camera: 0, share_percent: 1, record: false, record_mb: 500, pause_part: false } }])
  })

  it('has a witness of its own, where the corners are known', () => {
    const g = exampleGuard({ outline: witness({ status: 'blind', why: 'There are too few layers yet.' }) })
    act(() => render(<Witnesses g={g} />, root))
    expect(root.textContent).not.toContain('outline')
    act(() => render(<Witnesses g={{ ...g, corners: [[1, 9], [9, 9], [7, 4], [3, 4]] }} />, root))
    expect(root.textContent).toContain("The print's outlineSees nothing now: there are too few layers yet")
  })
})
