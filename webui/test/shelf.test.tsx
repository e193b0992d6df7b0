// Spools and the queue: what they show, what they send, and what a finger does to the order.
import { readFileSync } from 'node:fs'
import { getAllByRole, getByRole, getByTestId, queryByRole, queryByTestId } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NextCard } from '../src/parts/next'
import { placeAt, Queue } from '../src/parts/queue'
import { Needs, SpoolLine } from '../src/parts/spoolline'
import { editOf, Spools } from '../src/parts/spools'
import { beforeAt, followQueue, followShelf, queue, shelf } from '../src/shelf'
import { asks, files, filesError, filesView, followFiles, link, linkStatus, notices, received, state } from '../src/state'
import type { Answer, Doing, State } from '../src/wire'
import { exampleShelf, exampleState, queued, spool } from './examples'

let root: HTMLElement
let told: Doing[]
let answer: (change: Partial<Answer>) => void

beforeEach(() => {
  root = document.createElement('div')
  document.body.append(root)
  told = []
  vi.stubGlobal('fetch', () => new Promise(() => {}))
  vi.spyOn(link, 'do').mockImplementation((doing) => {
    told.push(doing)
    return new Promise((resolve) => {
      answer = (change) => resolve({ type: 'answer', id: 'x', rev: 0, job: '', error: null, ...change })
    })
  })
})

afterEach(() => {
  act(() => {
    render(null, root)
    state.value = null
    shelf.value = null
    queue.value = null
    asks.value = new Map()
    notices.value = []
    linkStatus.value = 'connecting'
    filesView.value = 'Files'
  })
  root.remove()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

function show(part: preact.ComponentChild, change: Partial<State> = {}): void {
  act(() => {
    received(exampleState({ state: 'idle', job: null, ...change }))
    linkStatus.value = 'up'
    render(part, root)
  })
}

const button = (name: string | RegExp) => getByRole<HTMLButtonElement>(root, 'button', { name })
const flush = () => act(async () => {
  await Promise.resolve()
})

describe('the order of the queue', () => {
  it.each([
    [[1, 2, 3], 3, 0, 1], [[1, 2, 3], 1, 1, 3], [[1, 2, 3], 1, 2, 0], [[1, 2, 3], 2, 1, 3], [[7], 7, 0, 0],
  ])('%j: %i to place %i is before %i', (ids, id, to, want) => {
    expect(beforeAt(ids, id, to)).toBe(want)
  })

  it.each([
    [0, 0, 0], [0, 90, 0], [0, 101, 1], [0, 250, 2], [0, 9999, 3], [0, -50, 0], [3, -101, 2], [3, -9999, 0], [2, 40, 2], [2, 101, 3],
  ])('a row from place %i dragged by %i px comes to place %i', (from, dy, want) => {
    expect(placeAt([50, 150, 250, 350], from, dy)).toBe(want)
  })
})

describe('the queue', () => {
  const fill = () => act(() => {
    queue.value = [queued(1, 'a.gcode'), queued(2, 'b.gcode', { copies: 3 }), queued(3, 'c.gcode', { gone: true })]
  })
  const names = () => getAllByRole(root, 'listitem').map((row) => row.querySelector('strong')?.textContent)

  it('is moved by buttons, shown at once, and put back when that is refused', async () => {
    show(<Queue />)
    fill()
    expect(names()).toEqual(['a.gcode', 'b.gcode', 'c.gcode'])
    expect(button('Move a.gcode up').disabled).toBe(true)
    expect(button('Move c.gcode down').disabled).toBe(true)
    button('Move a.gcode down').focus()
    act(() => button('Move a.gcode down').click())
    expect(told).toEqual([{ do: 'queue_move', entry: 1, before: 3 }])
    expect(names()).toEqual(['b.gcode', 'a.gcode', 'c.gcode'])
    expect(document.activeElement).toBe(button('Move a.gcode down'))
    expect(root.querySelector('p[role=status]')?.textContent).toBe('a.gcode is now number 2 of 3.')
    answer({ error: { code: 'not_queued', message: 'This is no longer in the queue.', next: '', warnings: [], problems: [] } })
    await flush()
    expect(names()).toEqual(['a.gcode', 'b.gcode', 'c.gcode'])
  })

  it('is dragged by the handle', () => {
    show(<Queue />)
    fill()
    const rows = getAllByRole(root, 'listitem')
    rows.forEach((row, i) => (row.getBoundingClientRect = () => ({ top: i * 100, bottom: i * 100 + 90, height: 90, left: 0, right: 300, width: 300, x: 0, y: i * 100, toJSON: () => '' })))
    const grip = getByTestId(root, 'grip-c.gcode')
    grip.setPointerCapture = () => {}
    const pointer = (type: string, clientY: number) => act(() => void grip.dispatchEvent(new PointerEvent(type, { bubbles: true, cancelable: true, clientY, pointerId: 1, button: 0 })))
    pointer('pointerdown', 245)
    pointer('pointermove', 30)
    expect(rows[2]?.style.transform).toBe('translateY(-215px)')
    expect(rows[0]?.style.transform).toBe('translateY(100px)')
    pointer('pointerup', 30)
    expect(told).toEqual([{ do: 'queue_move', entry: 3, before: 1 }])
    expect(names()).toEqual(['c.gcode', 'a.gcode', 'b.gcode'])
  })

  it('a drag that is broken off changes nothing', () => {
    show(<Queue />)
    fill()
    const grip = getByTestId(root, 'grip-a.gcode')
    grip.setPointerCapture = () => {}
    act(() => void grip.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true, clientY: 0, button: 0 })))
    act(() => void grip.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientY: 500 })))
    act(() => void grip.dispatchEvent(new PointerEvent('pointercancel', { bubbles: true })))
    expect(told).toEqual([])
    expect(names()).toEqual(['a.gcode', 'b.gcode', 'c.gcode'])
  })

  it('copies, taking out, and a file that is gone', () => {
    show(<Queue />)
    fill()
    const [first, second, third] = getAllByRole(root, 'group', { name: 'Copies' })
    expect(getByRole<HTMLButtonElement>(first!, 'button', { name: 'One copy less' }).disabled).toBe(true)
    act(() => getByRole(second!, 'button', { name: 'One copy less' }).click())
    expect(told).toEqual([{ do: 'queue_copies', entry: 2, copies: 2 }])
    expect(third?.closest('li')?.textContent).toContain('This file is gone.')
    act(() => {
      asks.value = new Map()
    })
    act(() => button('Take c.gcode out of the queue').click())
    expect(told.slice(1)).toEqual([{ do: 'queue_remove', entry: 3 }])
  })

  it('a viewer may look', () => {
    show(<Queue />, { me: { id: 'v', name: 'v', role: 'viewer', via: 'cookie' } })
    fill()
    expect(queryByTestId(root, 'grip-a.gcode')).toBeNull()
    for (const name of ['Take a.gcode out of the queue', 'Bed is clear, print']) expect(queryByRole(root, 'button', { name })).toBeNull()
  })
})

describe('the next one', () => {
  const next = (change: Partial<State> = {}) => {
    show(<NextCard />, change)
    act(() => {
      queue.value = [queued(5, 'boat.gcode', { copies: 2, filament_mm: 12_300 })]
      shelf.value = exampleShelf()
    })
  }

  it('asks whether the bed is clear, and starts at one tap', async () => {
    next()
    expect(root.textContent).toContain('Is the bed clear?')
    expect(root.textContent).toContain('2 copies left · 10 min')
    expect(getByTestId(root, 'needs').textContent).toBe('needs 12.3 m, PLA orange has 8.10 m')
    act(() => button('Bed is clear, print').click())
    expect(told).toEqual([{ do: 'start_next', entry: 5 }])
    expect(button('Starting…').disabled).toBe(true)
    answer({ error: { code: 'warning', message: 'This file may not suit the printer.', next: '', warnings: ['It needs <b>more</b>.'], problems: [] } })
    await flush()
    expect(getByRole(root, 'alert').textContent).toContain('It needs <b>more</b>.')
    act(() => button('Print anyway').click())
    expect(told.slice(1)).toEqual([{ do: 'start_next', entry: 5, anyway: true }])
  })

  it('waits for a person after a print that did not end well', () => {
    const last = { id: 'j', file: 'a', name: 'a', outcome: 'failed', reason: 'x', ended_ms: 1, elapsed_s: 1, line: 1, layer: 1, layers: 1, z_mm: 1, percent: 5, lines_again: 0, resend_percent: 0, starved_s: 0, starved_by: '', filament_mm: 0, tools_mm: [], card: false }
    next({ last_job: last })
    expect(queryByRole(root, 'button', { name: /Bed is clear/ })).toBeNull()
    expect(root.textContent).toContain('The last print: failed.')
    act(() => getByRole(root, 'link', { name: 'Show the queue' }).click())
    expect(filesView.value).toBe('Queue')
    act(() => received(exampleState({ rev: 11, state: 'idle', job: null, last_job: { ...last, outcome: 'done' } })))
    expect(button('Bed is clear, print').disabled).toBe(false)
  })

  it('cannot start a file that is gone', () => {
    next()
    act(() => {
      queue.value = [queued(5, 'boat.gcode', { gone: true })]
    })
    expect(root.textContent).toContain('This file is gone.')
    expect(button('Bed is clear, print').disabled).toBe(true)
  })
})

describe('spools', () => {
  it('show what is left, and are put on and taken off', () => {
    show(<Spools />)
    act(() => {
      shelf.value = exampleShelf({ spools: [spool({ used_mm: 83_820, left_mm: 251_460, left_g: 750 }), spool({ id: 1, name: 'PETG', left_mm: -1, left_g: -1, cost: 0 }), spool({ id: 3, name: 'Old', archived: true })] })
    })
    expect(getByRole(root, 'progressbar', { name: 'Left on PLA orange' }).getAttribute('aria-valuetext')).toBe('251.5 m left, 75 percent')
    expect(getByRole(root, 'article', { name: 'PLA orange' }).textContent).toContain('750 g83.8 m used · 15.00 left')
    expect(getByRole(root, 'article', { name: 'PETG' }).textContent).toContain('What is left is not known.')
    expect(queryByRole(root, 'article', { name: 'Old' })).toBeNull()
    act(() => button('Show archived ones (1)').click())
    expect(getByRole(root, 'article', { name: 'Old' }).textContent).not.toContain('Put on')
    act(() => button('Put on the printer').click())
    expect(told).toEqual([{ do: 'set_spool', tool: 0, spool_id: 1 }])
    act(() => {
      asks.value = new Map()
    })
    act(() => button('On the printer').click())
    expect(told.slice(1)).toEqual([{ do: 'set_spool', tool: 0, spool_id: 0 }])
  })

  it('a new one is full unless it is said what is left', async () => {
    show(<Spools />)
    act(() => {
      shelf.value = exampleShelf({ spools: [], active: [] })
    })
    act(() => button('Add a spool').click())
    const type = (label: string, value: string) => act(() => {
      const input = getByRole<HTMLInputElement>(root, 'textbox', { name: label })
      input.value = value
      input.dispatchEvent(new Event('input', { bubbles: true }))
    })
    expect(button('Save').disabled).toBe(true) // it has no name
    type('Name', 'Acme red')
    type('Left, if not full', '250,5')
    type('Price', 'much')
    expect(button('Save').disabled).toBe(true)
    type('Price', '')
    act(() => button('Save').click())
    expect(told).toEqual([{ do: 'save_spool', spool: { name: 'Acme red', material: 'PLA', colour: '#3a7bd5', diameter_mm: 1.75, density_g_cm3: 1.24, weight_g: 1000, spool_g: 0, cost: 0, archived: false, left_g: 250.5 } }])
    answer({ error: { code: 'bad_spool', message: 'The weight is wrong.', next: 'Correct it.', warnings: [], problems: [] } })
    await flush()
    expect(getByRole(root, 'alert').textContent).toBe('The weight is wrong. Correct it.')
    act(() => button('Save').click())
    answer({})
    await flush()
    expect(queryByRole(root, 'dialog')).toBeNull()
  })

  it('of a Spoolman are not changed here, and its silence is shown with the age of the list', () => {
    show(<Spools />)
    act(() => {
      shelf.value = exampleShelf({ source: 'spoolman', at_ms: 1_700_000_000_000, problem: 'connection refused' })
    })
    expect(queryByRole(root, 'button', { name: 'Add a spool' })).toBeNull()
    expect(queryByRole(root, 'button', { name: /^Change/ })).toBeNull()
    expect(getByRole(root, 'status').textContent).toMatch(/It does not answer as it should: this is what it said .*connection refused/)
  })

  it('an edit without a new rest leaves what is left', () => {
    const draft = { name: ' a ', material: 'PLA', colour: '', diameter: '1,75', density: '1.24', weight: '750', empty: '', cost: '', left: '' }
    expect(editOf(draft, { id: 4, archived: true })).toEqual({ id: 4, name: 'a', material: 'PLA', colour: '', diameter_mm: 1.75, density_g_cm3: 1.24, weight_g: 750, spool_g: 0, cost: 0, archived: true })
    expect(editOf({ ...draft, weight: 'x' }, null)).toBeNull()
  })

  it('one line says what is on', () => {
    show(<SpoolLine />)
    act(() => {
      shelf.value = exampleShelf()
    })
    expect(getByTestId(root, 'spool').textContent).toBe('PLA orange8.10 m left')
    act(() => {
      shelf.value = exampleShelf({ spools: [] }) // Spoolman has it no more
    })
    expect(getByTestId(root, 'spool').textContent).toBe('PLA orange')
    act(() => {
      shelf.value = exampleShelf({ active: [] })
    })
    expect(queryByTestId(root, 'spool')).toBeNull()
  })

  it('enough is not a warning', () => {
    show(<Needs needMM={5000} />)
    act(() => {
      shelf.value = exampleShelf()
    })
    expect(getByTestId(root, 'needs').textContent).toBe('needs 5.00 m, PLA orange has 8.10 m')
    expect(queryByRole(root, 'status')).toBeNull()
  })
})

describe('following', () => {
  beforeEach(() => { linkStatus.value = 'up' })

  it('reads again when the link is back: what changed meanwhile nobody heard, and what was asked for may have got lost', async () => {
    let down = true
    const asked: string[] = []
    vi.stubGlobal('fetch', (path: string) => {
      asked.push(path)
      const golden = readFileSync(`../internal/server/testdata/wire/${path.split('/').at(-1)}.json`, 'utf8')
      return down ? Promise.reject(new TypeError('net')) : Promise.resolve(new Response(golden))
    })
    received(exampleState({ rev: 1 }))
    const ends = [followQueue(), followShelf(), followFiles()]
    await vi.waitFor(() => expect(filesError.value).not.toBeNull())
    linkStatus.value = 'lost'
    received(exampleState({ rev: 2 }))
    expect(asked).toEqual(['/v1/queue', '/v1/spools', '/v1/files'])
    down = false
    linkStatus.value = 'up'
    received(exampleState({ rev: 1 }))
    await vi.waitFor(() => expect([queue.value, shelf.value, files.value]).not.toContain(null))
    expect(asked).toHaveLength(6)
    for (const end of ends) end()
    files.value = null
  })

  it('reads again when layerd says that something changed, and forgets answers that come too late', async () => {
    const waiting: ((body: string) => void)[] = []
    const paths: string[] = []
    vi.stubGlobal('fetch', (path: string) => {
      paths.push(path)
      return new Promise((resolve) => waiting.push((body) => resolve(new Response(body))))
    })
    received(exampleState({ rev: 1 }))
    const end = followQueue()
    received(exampleState({ rev: 2 }))
    expect(paths).toEqual(['/v1/queue'])
    received(exampleState({ rev: 3, queue_rev: 2 }))
    expect(paths).toEqual(['/v1/queue', '/v1/queue'])
    waiting[1]?.(JSON.stringify({ entries: [queued(2, 'new')] }))
    await vi.waitFor(() => expect(queue.value?.[0]?.name).toBe('new'))
    waiting[0]?.(JSON.stringify({ entries: [queued(1, 'old')] }))
    await new Promise((soon) => setTimeout(soon))
    expect(queue.value?.[0]?.name).toBe('new')
    end()
    received(exampleState({ rev: 4, queue_rev: 3 }))
    expect(paths).toHaveLength(2)
  })

  it('the shelf is read again for each half metre that a print has used', () => {
    const paths: string[] = []
    vi.stubGlobal('fetch', (path: string) => {
      paths.push(path)
      return new Promise(() => {})
    })
    const job = exampleState().job!
    received(exampleState({ rev: 1, job: { ...job, filament_mm: 10 } }))
    const end = followShelf()
    received(exampleState({ rev: 2, job: { ...job, filament_mm: 490 } }))
    expect(paths).toHaveLength(1)
    received(exampleState({ rev: 3, job: { ...job, filament_mm: 510 } }))
    expect(paths).toHaveLength(2)
    end()
  })
})
