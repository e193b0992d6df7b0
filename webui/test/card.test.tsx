// A print from the printer's own card, and the files on it.
import { fireEvent, getByRole, getByTestId, queryByRole } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { App } from '../src/app'
import { inOrder } from '../src/cardlist'
import { route } from '../src/route'
import { asks, link, linkStatus, loggedIn, received, state } from '../src/state'
import { whyNot } from '../src/words'
import type { Answer, CardStatus, Doing, State } from '../src/wire'
import { exampleState } from './examples'

vi.setConfig({ testTimeout: 60_000 }) // parts of the page are fetched

let root: HTMLElement
let told: Doing[]
let reply: Partial<Answer>

const card: CardStatus = {
  present: true, printing: true, paused: false, id: 'card-1', file: '/CUBE20~1.GCO', name: 'Cube 20 mm.gcode', bytes: 500, size: 2000, percent: 25,
  since_ms: 1_700_000_000_000, elapsed_s: 60, rev: 0,
}
const quiet = { ...card, printing: false, id: '', file: '', name: '', bytes: 0, size: 0, percent: 0 }
const listed = {
  present: true, listed_ms: 1_700_000_000_000, files: [
    { path: 'OLD.GCO', name: 'old.gcode', bytes: 5, modified_ms: 1, fits: true }, { path: 'A;B.GCO', name: '<img src=x onerror=alert(1)>', bytes: -1, modified_ms: 0, fits: false },
    { path: 'NEW~1.GCO', name: 'new one.gcode', bytes: 2048, modified_ms: 1_699_999_000_000, fits: true },
  ],
}

beforeEach(() => {
  root = document.createElement('div')
  document.body.append(root)
  told = []
  reply = {}
  vi.spyOn(link, 'do').mockImplementation((doing) => {
    told.push(doing)
    return Promise.resolve({ type: 'answer', id: 'x', rev: 0, job: '', error: null, ...reply })
  })
})

afterEach(() => {
  act(() => {
    render(null, root)
    state.value = null
    asks.value = new Map()
    linkStatus.value = 'connecting'
    route.value = { screen: 'print', rest: '' }
  })
  root.remove()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

async function page(change: Partial<State>): Promise<void> {
  await act(async () => {
    loggedIn.value = true
    received(exampleState({ job: null, ...change }))
    linkStatus.value = 'up'
    render(<App />, root)
    await Promise.resolve()
  })
}
const button = (name: string | RegExp) => getByRole(root, 'button', { name })
const shows = (text: string) => vi.waitFor(() => expect(root.textContent).toContain(text), { timeout: 20_000 })
const click = (name: string | RegExp) => act(async () => {
  fireEvent.click(button(name))
  await Promise.resolve()
})

describe('a print from the card', () => {
  it('has its name, how far it is, and the two buttons, which name it', async () => {
    await page({ state: 'printing', card })
    await shows("From the printer's own card")
    expect(getByTestId(root, 'job-name').textContent).toBe('Cube 20 mm.gcode')
    expect(getByTestId(root, 'percent').textContent).toBe('25')
    expect(button('Fan: unknown').textContent).toContain('–')
    await click('Pause')
    expect(told).toEqual([{ do: 'pause', job: 'card-1' }])
    fireEvent.click(button(/^Stop print/), { detail: 0 })
    await shows('Cube 20 mm.gcode cannot be continued afterwards. The printer cools down.')
  })

  it('is resumed when it stands still', async () => {
    await page({ state: 'paused', card: { ...card, paused: true } })
    await shows('Stands still')
    await click('Resume')
    expect(told).toEqual([{ do: 'resume', job: 'card-1' }])
  })

  it('keeps hands off the head, paused or not, and leaves heat to people', () => {
    const s = exampleState({ state: 'paused', job: null, card: { ...card, paused: true } })
    expect(whyNot(s, true, () => true, 'free')).toBe('The printer is printing from its own card.')
    expect(whyNot(s, true, () => true, 'connected')).toBe('')
  })

  it('ends with what is known, and no file to show', async () => {
    const last = { ...exampleState().last_job, id: 'card-1', file: 'CUBE.GCO', name: 'Cube', outcome: 'interrupted', reason: 'its end was not seen', ended_ms: 1_700_000_000_000, elapsed_s: 60, line: 0, layer: 0, layers: 0, z_mm: 0, percent: 25, lines_again: 0, resend_percent: 0, starved_s: 0, starved_by: '', card: true, filament_mm: 0, tools_mm: [] }
    await page({ state: 'idle', card: quiet, last_job: last })
    await shows('Its end was not seen')
    expect(root.textContent).not.toContain('Nothing moves or heats')
    expect(queryByRole(root, 'link', { name: 'Show the file' })).toBeNull()
  })
})

describe('the files of the card', () => {
  const serve = (body: object, status = 200) => {
    vi.stubGlobal('fetch', (path: string) => Promise.resolve(new Response(JSON.stringify(path === '/v1/card' ? body : { files: [], free_bytes: 1 }), { status: path === '/v1/card' ? status : 200 })))
  }
  const open = async (change: Partial<State> = {}) => {
    route.value = { screen: 'files', rest: '' }
    await page({ state: 'idle', card: quiet, ...change })
  }

  it('have a segment only where the printer has a card', async () => {
    serve(listed)
    await open({ card: null })
    expect(queryByRole(root, 'button', { name: 'Card' })).toBeNull()
    act(() => received(exampleState({ state: 'idle', job: null, card: quiet, rev: 11 })))
    expect(button('Card')).toBeTruthy()
  })

  it('are listed, the newest first, as text; one is started after the question for the bed', async () => {
    serve(listed)
    await open()
    await click('Card')
    await shows('new one.gcode')
    expect([...root.querySelectorAll('.file-row strong')].map((e) => e.textContent)).toEqual(['new one.gcode', 'old.gcode', '<img src=x onerror=alert(1)>'])
    expect(root.querySelector('.file-row img')).toBeNull()
    await click(/new one/)
    await click('Print')
    await shows('Is the bed clear?')
    expect(told).toEqual([])
    await click(/Bed is clear/)
    expect(told).toEqual([{ do: 'start_card', file: 'NEW~1.GCO' }])
    await vi.waitFor(() => expect(route.value.screen).toBe('print'), { timeout: 20_000 })
  })

  it('say why one cannot be started, before and after', async () => {
    serve(listed)
    await open()
    await click('Card')
    await shows('old.gcode')
    await click(/img src/)
    await shows('Rename it on the card')
    expect((button('Print') as HTMLButtonElement).disabled).toBe(true)
    await click('Close')
    reply = { error: { code: 'card_file', message: 'It could not be opened.', next: 'Read the card again.', warnings: [], problems: [] } }
    await click(/old.gcode/)
    await click('Print')
    await click(/Bed is clear/)
    await shows('It could not be opened.')
  })

  it('have words for no card, for none of G-code, and for a printer that does not answer', async () => {
    serve({ present: false, files: [], listed_ms: 0 })
    await open({ card: { ...quiet, present: false } })
    await click('Card')
    await shows('No card is in the printer.')
    serve({ present: true, files: null, listed_ms: 5 })
    await click('Read again')
    await shows('There is no G-code')
    serve({ error: { code: 'timeout', message: 'This took too long.', next: 'Look at it.' } }, 504)
    await click('Read again')
    await shows('This took too long.')
  })

  it('are not asked for by who may only look', async () => {
    const asked = vi.fn(() => Promise.resolve(new Response('{"files":[],"free_bytes":1}')))
    vi.stubGlobal('fetch', asked)
    await open({ me: { id: 'v', name: 'v', role: 'viewer', via: 'cookie' } })
    await click('Card')
    await shows('You may look')
    expect(asked).not.toHaveBeenCalledWith('/v1/card', expect.anything())
  })

  it('come in an order that holds without dates', () => {
    const f = (name: string, modified_ms = 0) => ({ path: name, name, bytes: 1, modified_ms, fits: true })
    expect(inOrder([f('b10'), f('b9'), f('x', 5), f('a')]).map((each) => each.name)).toEqual(['x', 'a', 'b9', 'b10'])
  })
})
