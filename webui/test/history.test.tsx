// The history: totals, rows, and the sheet of a print with what it may say about printing it again.
import { fireEvent, getByRole, queryByRole } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { endings, History, monthName } from '../src/parts/history'
import { again } from '../src/parts/printsheet'
import { files, linkStatus, received, state } from '../src/state'
import type { FileInfo, Print, State } from '../src/wire'
import { exampleFile, exampleState } from './examples'

const nowMs = 1_700_000_000_000

function examplePrint(change: Partial<Print> = {}): Print {
  return {
    id: 'p1', file: 'toys/cube.gcode', sha256: 'abc', by: 'phone', started_ms: nowMs - 7_200_000, ended_ms: nowMs - 3_600_000, outcome: 'failed',
    reason: 'the port vanished', fault: 'port_lost', elapsed_s: 3500, filament_mm: 1234, line: 5, offset: 6, layer: 7, layers: 9, z_mm: 1.4,
    percent: 42.5, lines_again: 31, resend_percent: 3.4, starved_s: 0, starved_by: '', has_picture: true, has_curve: false, has_log: true, alarms: 0, filament_g: 3.7, spools: '', ...change,
  }
}

let root: HTMLElement
let asked: string[]
let prints: Print[]

const month = { month: '2023-11', prints: 3, done: 1, cancelled: 1, failed: 1, interrupted: 0, printed_s: 7260, filament_mm: 12_345 }

beforeEach(() => {
  root = document.createElement('div')
  document.body.append(root)
  asked = []
  prints = [examplePrint()]
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path)
    const body = path.startsWith('/v1/prints?') ? { prints } : path === '/v1/totals' ? { months: [month, { ...month, month: '2023-10' }, { ...month, month: '2023-09' }] }
      : { lines: [{ at_ms: nowMs, dir: 'in', text: 'Error:<b>Thermal Runaway</b>' }] }
    return Promise.resolve(new Response(JSON.stringify(body)))
  })
})

afterEach(() => {
  act(() => {
    render(null, root)
    state.value = null
    files.value = null
    linkStatus.value = 'connecting'
  })
  root.remove()
  vi.unstubAllGlobals()
})

const toFiles = vi.fn()

async function show(change: Partial<State> = {}, known: FileInfo[] = [exampleFile('toys/cube.gcode')]): Promise<void> {
  await act(async () => {
    received(exampleState({ state: 'idle', job: null, ...change }))
    files.value = known
    linkStatus.value = 'up'
    render(<History nowMs={nowMs} toFiles={toFiles} />, root)
    await Promise.resolve()
  })
  await comes(() => getByRole(root, 'region', { name: 'Totals by month' }))
}

/** Lets the page go on until check holds. */
async function comes(check: () => unknown): Promise<void> {
  await vi.waitFor(async () => {
    await act(async () => Promise.resolve())
    check()
  })
}

async function open(): Promise<HTMLElement> {
  await act(() => void fireEvent.click(getByRole(root, 'button', { name: /cube/ })))
  return getByRole(root, 'dialog', { name: 'cube.gcode' })
}

const viewer = { id: 't', name: 'guest', role: 'viewer', via: 'cookie' } as const

describe('totals', () => {
  it('are told by month, the older ones when asked for', async () => {
    await show()
    const totals = getByRole(root, 'region', { name: 'Totals by month' })
    expect(totals.textContent).toContain('November 20233 prints1 finished, 1 stopped, 1 failed2 h 1 min · 12.3 m')
    expect(totals.textContent).not.toContain('September')
    await act(() => void fireEvent.click(getByRole(totals, 'button', { name: 'All months' })))
    expect(totals.textContent).toContain('September 2023')
  })

  it('come with the export', async () => {
    await show()
    expect(getByRole(root, 'link', { name: 'Export as CSV' }).getAttribute('href')).toBe('/v1/prints.csv')
  })

  it('have words for odd months and for all endings', () => {
    expect(monthName('1970-01')).toBe('January 1970')
    expect(monthName('2023-13')).toBe('13 2023')
    expect(endings({ ...month, interrupted: 2 })).toBe('1 finished, 1 stopped, 1 failed, 2 interrupted')
  })
})

describe('the sheet of a print', () => {
  it('says what happened, with picture and log', async () => {
    await show()
    const sheet = await open()
    for (const text of ['Failed', 'The port vanished', 'port_lost', '1.23 m', '42 %, layer 7 of 9, 1.4 mm', '58 min', 'toys/cube.gcode', '3.4 % of the lines sent again']) {
      expect(sheet.textContent).toContain(text)
    }
    expect(getByRole(sheet, 'img', { name: /last picture/ }).getAttribute('src')).toBe('/v1/pictures/p1')
    const details = sheet.querySelector('details')
    if (!details) throw new Error('no log')
    expect(asked.some((path) => path.startsWith('/v1/logs/'))).toBe(false)
    details.open = true
    await act(() => void fireEvent(details, new Event('toggle')))
    await comes(() => expect(sheet.textContent).toContain('Error:<b>Thermal Runaway</b>'))
    expect(asked).toContain('/v1/logs/p1')
  })

  it('shows no picture, log or place where there is none', async () => {
    prints = [examplePrint({ outcome: 'done', reason: '', fault: '', has_picture: false, has_log: false, lines_again: 0, resend_percent: 0 })]
    await show()
    const sheet = await open()
    expect(queryByRole(sheet, 'img')).toBeNull()
    expect(sheet.querySelector('details')).toBeNull()
    expect(sheet.textContent).not.toContain('Came to')
    expect(sheet.textContent).toContain('Finished')
  })

  it('leads to the file to print it again', async () => {
    await show()
    const sheet = await open()
    await act(() => void fireEvent.click(getByRole(sheet, 'button', { name: 'Print again' })))
    expect(location.hash).toBe('#/files/toys/cube.gcode')
    expect(toFiles).toHaveBeenCalledOnce()
    expect(queryByRole(root, 'dialog')).toBeNull()
  })

  it('gives a viewer neither the log nor a way to print', async () => {
    await show({ me: viewer })
    const sheet = await open()
    expect(queryByRole(sheet, 'button', { name: 'Print again' })).toBeNull()
    expect(sheet.textContent).toContain('You may look, but not print.')
    expect(sheet.querySelector('details')).toBeNull()
  })

  it('offers nothing to print again while it prints', async () => {
    prints = [examplePrint({ outcome: '', ended_ms: 0, reason: '', fault: '', has_picture: false })]
    await show()
    const sheet = await open()
    expect(sheet.textContent).toContain('Under way')
    expect(queryByRole(sheet, 'button', { name: 'Print again' })).toBeNull()
  })
})

describe('again', () => {
  const print = { file: 'a/b.gcode', sha256: 'abc' }
  it.each([
    ['is the file itself', print, [exampleFile('a/b.gcode')], 'a/b.gcode', ''],
    ['is the same content under another name', print, [exampleFile('c.gcode')], 'c.gcode', 'It is called c.gcode now.'],
    ['is the file of its own name, when there are several', print, [exampleFile('c.gcode'), exampleFile('a/b.gcode')], 'a/b.gcode', ''],
    ['is not another content', print, [exampleFile('a/b.gcode', { sha256: 'def' })], '', 'another content'],
    ['is the file of its name whose content is not known, with a word of that', print, [exampleFile('a/b.gcode', { sha256: '' })], 'a/b.gcode', 'may have been changed'],
    ['is not a guess, when the print\'s content is unknown', { ...print, sha256: '' }, [exampleFile('a/b.gcode', { sha256: '' })], '', 'another content'],
    ['is nothing when the file is gone', print, [], '', 'no longer there'],
    ['is nothing while the files are not known', print, null, '', 'not here yet'],
  ])('%s', (_, p, all, path, why) => {
    const got = again(p, all)
    expect(got.path).toBe(path)
    expect(got.why).toContain(why)
    if (!why) expect(got.why).toBe('')
  })
})
