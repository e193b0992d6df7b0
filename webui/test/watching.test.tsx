// What is chosen of the watch before a print, what it keeps, and the arrow on its evidence.
import { fireEvent, getByLabelText, getByRole, getByText, queryByRole, queryByText } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Card, Guard } from '../src/guard'
import { Blink, drawn } from '../src/parts/blink'
import { FileSheet } from '../src/parts/filesheet'
import { RecordingsCard } from '../src/parts/recordings'
import { lacking, WatchLine } from '../src/parts/watchchoice'
import { recordings, tightText } from '../src/recordings'
import { linkStatus, received } from '../src/state'
import type { GuardSettings, Role } from '../src/wire'
import { exampleFile, exampleGuard, exampleState, witness } from './examples'
import { onStage, root, told } from './stage'

let asked: string[]
let list: object
onStage({ fetched: (path) => Promise.resolve(new Response(path === '/v1/recordings' ? JSON.stringify(list) : '', { status: path.startsWith('/v1/recordings') ? 200 : 404 })) })
beforeEach(() => {
  asked = []
  list = { recordings: [{ job: 'j/1', file: 'toys/<b>boat.gcode', at_ms: 1_700_000_000_000, looks: 40, bytes: 12_000_000 }, { job: 'j0', file: '', at_ms: 1, looks: 1, bytes: 300_000 }], bytes: 12_300_000, limit_bytes: 500e6, free_bytes: 4e9, least_bytes: 500e6 }
  recordings.value = null
})

const card: Card = {
  made_ms: 1, endstops: { x: end(), y: end(), made_ms: 1, machine: '' }, check_s: 5, camera: 0, camera_w: '', x_mm: 0.5, y_mm: 0.5, px_per_mm: 3, bed_moves: true,
}
function end() {
  return { usable: true, why: '', at_mm: 0, max: false, spread_mm: 0, hysteresis_mm: 0, overtravel_mm: 1, threshold_mm: 0.35, steps_per_mm: 80, limits_mm: null }
}
const flush = () => act(async () => {
  await new Promise((resolve) => setTimeout(resolve))
})
let rev = 100
const shows = (g: Guard | null, role: Role = 'owner') => act(() => {
  linkStatus.value = 'up'
  received(exampleState({ rev: ++rev, state: 'idle', job: null, guard: g, me: { id: 'm', name: 'm', role, via: 'session' } }))
})
const put = (what: preact.ComponentChildren) => act(() => render(what, root))
const button = (name: string | RegExp) => getByRole<HTMLButtonElement>(root, 'button', { name })

describe('before a print', () => {
  const line = (g: Guard | null, role: Role = 'owner', value: GuardSettings['mode'] | null = null) => {
    shows(g, role)
    const chosen: string[] = []
    put(<WatchLine value={value} disabled={false} onChange={(mode) => chosen.push(mode)} />)
    return chosen
  }

  it('it is as the settings say, until somebody says otherwise for this print', () => {
    const chosen = line(exampleGuard({ card, settings: { mode: 'tell', camera: 0, share_percent: 1, record: false, record_mb: 500, pause_part: true } }))
    expect(button('Tell me').getAttribute('aria-pressed')).toBe('true')
    act(() => button('Pause').click())
    expect(chosen).toEqual(['pause'])
    line(exampleGuard({ card }), 'owner', 'off')
    expect(button('Off').getAttribute('aria-pressed')).toBe('true')
    expect(root.textContent).toContain('This print is not watched.')
  })

  it('without a set-up there is no choice, and one line that leads an owner to it', () => {
    line(exampleGuard())
    expect(getByRole(root, 'link').getAttribute('href')).toBe('#/settings/shifts')
    expect(queryByRole(root, 'button')).toBeNull()
    line(exampleGuard(), 'operator')
    expect(root.textContent).toBe('')
    line(null)
    expect(root.textContent).toBe('')
  })

  it('says what of it cannot watch any more', () => {
    const stale = witness({ status: 'unset', why: 'The profile was changed.' })
    const fine = witness({ status: 'ready' })
    expect(lacking({ card, camera: fine, endstops: fine })).toBe('')
    expect(lacking({ card, camera: witness({ status: 'unable', why: 'There is none.' }), endstops: fine })).toBe('')
    expect(lacking({ card: null, camera: stale, endstops: stale })).toBe('')
    expect(lacking({ card, camera: stale, endstops: fine })).toBe('The camera cannot watch now. The profile was changed.')
    expect(lacking({ card, camera: stale, endstops: witness({ status: 'unable', why: 'Other.' }) })).toBe('Nothing can watch now. The profile was changed.')
    const other = witness({ status: 'unable', why: 'they were measured on another machine' })
    expect(lacking({ card, camera: fine, endstops: other })).toBe('The endstops cannot be asked now: they were measured on another machine. Set them up again.')
    const none = { ...end(), usable: false }
    expect(lacking({ card: { ...card, endstops: { ...card.endstops, x: none, y: none } }, camera: fine, endstops: other }), 'the set-up has said so').toBe('')
    line(exampleGuard({ card, camera: stale, endstops: fine }))
    expect(root.textContent).toContain('The profile was changed.')
  })

  it.each([['Off', { watch: 'off' }], [null, {}]])('what is chosen goes with the start: %s', async (tap, want) => {
    shows(exampleGuard({ card, settings: { mode: 'pause', camera: 0, share_percent: 1, record: false, record_mb: 500, pause_part: true } }))
    put(<FileSheet file={exampleFile('a.gcode')} files={[]} nowMs={1} onClose={() => {}} />)
    act(() => button('Print').click())
    for (let i = 0; i < 200 && !queryByText(root, 'At a layer shift'); i++) await flush()
    if (tap) act(() => button(tap).click())
    act(() => button('Bed is clear, print').click())
    expect(told).toEqual([{ do: 'start', file: 'a.gcode', ...want }])
  })
})

describe('recordings', () => {
  const show = async (g: Partial<Guard> = {}, role: Role = 'owner') => {
    shows(exampleGuard({ card, ...g }), role)
    put(<RecordingsCard g={exampleGuard({ card, ...g })} disabled={role !== 'owner'} />)
    await flush()
  }

  it('are listed as text, taken away as an archive, and deleted when somebody says so twice', async () => {
    vi.mocked(fetch).mockImplementation((path, init) => {
      asked.push(`${init?.method ?? 'GET'} ${String(path)}`)
      return Promise.resolve(new Response(init?.method === 'DELETE' ? '' : JSON.stringify(list)))
    })
    await show()
    expect(root.textContent).toContain('12 MB of 500 MB are used')
    expect(root.textContent).toContain('Print j0')
    act(() => button(/boat/).click())
    expect(getByRole(root, 'dialog', { name: '<b>boat.gcode' }).textContent).toContain('40 looks')
    expect(getByText(root, 'Download').closest('a')?.getAttribute('href')).toBe('/v1/recordings/j%2F1')
    act(() => button('Delete').click())
    expect(asked).toEqual(['GET /v1/recordings'])
    act(() => button('Delete').click())
    await flush()
    await flush()
    expect(asked).toEqual(['GET /v1/recordings', 'DELETE /v1/recordings/j%2F1', 'GET /v1/recordings'])
    expect(queryByRole(root, 'dialog')).toBeNull()
  })

  it('stop while the disk is nearly full, and say so', async () => {
    expect(tightText({ free_bytes: 499_900_000, least_bytes: 500e6 })).toBe('Nothing is recorded now: only 499 MB are free on the disk, and 500 MB are kept for prints.')
    expect([tightText({ free_bytes: 500e6, least_bytes: 500e6 }), tightText({ free_bytes: -1, least_bytes: 500e6 })]).toEqual(['', ''])
    list = { ...list, free_bytes: 300e6 }
    await show({ settings: { mode: 'pause', camera: 0, share_percent: 1, record: true, record_mb: 500, pause_part: true } })
    expect(root.textContent).toContain('only 300 MB are free')
    await show({ unkept: 'Only 300 MB are free on the disk.', recording: false })
    expect(root.textContent).toContain('This print is not recorded: Only 300 MB are free on the disk.')
    expect(root.textContent).not.toContain('Nothing is recorded now')
  })

  it('of a print under way are not deleted, and only owners see any', async () => {
    await show({ job: 'j/1', recording: true })
    act(() => button(/boat/).click())
    expect(button('Delete').disabled).toBe(true)
    recordings.value = null
    await show({}, 'operator')
    expect(queryByText(root, /are used/)).toBeNull()
    expect(getByLabelText<HTMLInputElement>(root, 'Record what was looked at').disabled).toBe(true)
  })
})

describe('the arrow', () => {
  const size = { width: 640, height: 360 }
  const whole = { left: 0, top: 0, width: 1, height: 1 }
  const a = { axis: 'x', mm: -1.6, at: [0.5, 0.5], by: [-0.004, 0] }

  it('points the way of the shift, and is long enough to be seen', () => {
    const d = drawn(a, size, whole)!
    expect(d.text).toBe('X 1.6 mm')
    expect(d.from[0] - d.to[0]).toBeGreaterThan(80)
    expect([d.from[1], d.to[1]]).toEqual([180, 180])
    expect(d.words[0]).toBeLessThan(d.to[0])
    const down = drawn({ ...a, by: [0, 0.5] }, size, whole)!
    expect(down.to[1] - down.from[1]).toBeCloseTo(180) // one that is long enough is true to scale
    expect(drawn({ ...a, by: [0, 0] }, size, whole)).toBeNull()
    expect(drawn({ ...a, by: [] }, size, whole)).toBeNull()
  })

  it('stays within the part that is shown, with its words', () => {
    const part = { left: 0.25, top: 0.25, width: 0.5, height: 0.5 }
    const narrow = { left: 0.4, top: 0, width: 0.2, height: 1 }
    expect(drawn({ ...a, at: [0.5, 0.5] }, size, narrow)!.words).toEqual([320, 180 + 24 * (360 / 260)])
    for (const at of [[0, 0], [1, 1], [0.3, 0.7]]) {
      for (const by of [[0.01, 0], [-0.01, 0.01], [0, -0.01]]) {
        const d = drawn({ ...a, at, by }, size, part)!
        const wide = d.text.length * 4.2 * d.unit
        for (const [x, y] of [d.from, d.to, [d.words[0] - wide, d.words[1]], [d.words[0] + wide, d.words[1]]] as const) {
          expect(x).toBeGreaterThanOrEqual(160)
          expect(x).toBeLessThanOrEqual(480)
          expect(y).toBeGreaterThanOrEqual(90)
          expect(y).toBeLessThanOrEqual(270)
        }
      }
    }
  })

  it('is drawn with the later picture, and said in words', () => {
    put(<Blink id={7} crop={[]} arrows={[a]} />)
    expect(root.textContent).toContain('The arrow shows which way: X 1.6 mm.')
    act(() => void fireEvent.load(root.querySelector('img')!))
    const arrows = () => root.querySelector<SVGElement>('.blink-arrows')
    expect(arrows()?.textContent).toBe('X 1.6 mm')
    act(() => void fireEvent.pointerDown(button('Hold: before'), { button: 0 }))
    expect(arrows()?.style.opacity).toBe('0')
    put(<Blink id={7} crop={[]} />)
    expect(root.textContent).not.toContain('arrow')
  })
})
