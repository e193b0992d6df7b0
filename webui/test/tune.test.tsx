// Tuning, the picture of the bed, and the printer's settings, as a finger and a screen reader meet them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fireEvent, getByLabelText, getByRole, getByText, queryByRole, waitFor } from '@testing-library/dom'
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { changedLine, grouped, readCopies, readEEPROM, type Setting } from '../src/eeprom'
import { readMeshAnswer, tint, verdict } from '../src/mesh'
import { MeshPicture } from '../src/parts/meshpicture'
import { signed, TuneCard } from '../src/parts/tune'
import { EEPROMPage } from '../src/screens/eeprom'
import { MeshPage } from '../src/screens/mesh'
import { PrintScreen } from '../src/screens/print'
import { linkStatus, received } from '../src/state'
import { parse, type State } from '../src/wire'
import { exampleState } from './examples'
import { answer, onStage, root, told } from './stage'

onStage()

const golden = (name: string) => parse(readFileSync(join(process.cwd(), '../internal/server/testdata/wire', `${name}.json`), 'utf8'))
const button = (name: string | RegExp) => getByRole<HTMLButtonElement>(root, 'button', { name })
const none: State['tuning'] = { babystep_mm: 0, babystep_unsaved_mm: 0, pressure_advance: null, acceleration_mm_s2: 0, has_babystep: true, has_advance: true, has_acceleration: true }

function up(change: Partial<State> = {}): State {
  const s = exampleState(change)
  act(() => {
    received(s)
    linkStatus.value = 'up'
  })
  return s
}

const show = (what: preact.ComponentChild) => act(() => render(what as preact.VNode, root))

/** Requests are answered from a map of "METHOD path" to body. */
function serve(answers: Record<string, unknown>): string[] {
  const asked: string[] = []
  vi.stubGlobal('fetch', (path: string, init: RequestInit = {}) => {
    const key = `${init.method ?? 'GET'} ${path}`
    asked.push(key)
    if (!(key in answers)) return Promise.resolve(new Response('{"error":{"code":"no_route","message":"nothing here","next":""}}', { status: 404 }))
    return Promise.resolve(new Response(JSON.stringify(answers[key])))
  })
  return asked
}

describe('golden files', () => {
  it('are read, and nothing of them is lost', () => {
    expect(readMeshAnswer(golden('mesh'), '')).toEqual(golden('mesh'))
    expect(readEEPROM(golden('eeprom'), '')).toEqual(golden('eeprom'))
    expect(readCopies(golden('eeprom_copies'), '')).toEqual(golden('eeprom_copies'))
  })
})

describe('the nozzle in small steps', () => {
  it('goes up and down, shows the sum, and takes several taps', () => {
    const s = up({ tuning: { ...none, babystep_mm: -0.04 } })
    show(<TuneCard s={s} />)
    expect(getByLabelText(root, 'Sum of the steps').textContent).toBe('−0.04 mm')
    fireEvent.click(button('Down 0.05 mm'))
    fireEvent.click(button('Up 0.01 mm'))
    expect(told).toEqual([{ do: 'babystep', by_mm: -0.05 }, { do: 'babystep', by_mm: 0.01 }])
  })

  it('says why it cannot be used', () => {
    show(<TuneCard s={up({ homed: false })} />)
    expect(root.textContent).toContain('after homing')
    expect(queryByRole(root, 'button', { name: /Down/ })).toBeNull()
    show(<TuneCard s={up({ tuning: { ...none, has_babystep: false } })} />)
    expect(root.textContent).toContain('no small steps')
    const prusa = up({ tuning: { ...none, has_babystep: false } })
    show(<TuneCard s={{ ...prusa, connection: { ...prusa.connection, dialect: 'prusa' } }} />)
    expect(root.textContent).toContain('Live adjust Z')
  })

  it('is offered to be kept when the print is over, by the owner', () => {
    const s = up({ state: 'idle', job: null, tuning: { ...none, babystep_mm: -0.04, babystep_unsaved_mm: -0.04 } })
    show(<TuneCard s={s} />)
    fireEvent.click(button('Save in the printer'))
    expect(told).toEqual([{ do: 'save_babystep' }])
    act(() => received(exampleState({ ...s, me: { ...s.me, role: 'operator' } })))
    show(<TuneCard s={{ ...s, me: { ...s.me, role: 'operator' } }} />)
    expect(button('Save in the printer').disabled).toBe(true)
  })

  it('comes to the Print screen when somebody may tune', async () => {
    up({ state: 'printing' })
    show(<PrintScreen />)
    await waitFor(() => expect(queryByRole(root, 'region', { name: 'Tune' })).not.toBeNull())
    const s = exampleState()
    act(() => received(exampleState({ me: { ...s.me, role: 'viewer' } })))
    expect(queryByRole(root, 'region', { name: 'Tune' })).toBeNull()
  })
})

describe('the sheet', () => {
  beforeEach(() => {
    HTMLDialogElement.prototype.showModal = function () { this.open = true }
    HTMLDialogElement.prototype.close = function () { this.open = false }
  })

  const open = (change: Partial<State> = {}) => {
    show(<TuneCard s={up(change)} />)
    act(() => void fireEvent.click(button('More')))
  }

  it('steps temperatures, pressure advance and acceleration', () => {
    open()
    expect(told).toEqual([]) // all of it is known: the printer is not asked
    fireEvent.click(button('Nozzle plus 1 °C'))
    fireEvent.click(button('Bed minus 5 °C'))
    fireEvent.click(button('Pressure advance minus 0.01'))
    expect(button('Acceleration minus 500 mm/s²').disabled).toBe(true)
    fireEvent.click(button('Acceleration plus 500 mm/s²'))
    expect(told).toEqual([{ do: 'set_nozzle', tool: 0, target_c: 216 }, { do: 'set_bed', target_c: 55 }, { do: 'set_advance', tool: 0, factor: 0.07 },
      { do: 'set_acceleration', acceleration_mm_s2: 1000 }])
  })

  it('asks for what is not known, and takes a typed number until then', () => {
    open({ tuning: none })
    expect(told).toEqual([{ do: 'read_tuning' }])
    const field = getByLabelText<HTMLInputElement>(root, /Pressure advance: the printer/)
    act(() => void fireEvent.input(field, { target: { value: '3' } }))
    expect(root.textContent).toContain('Allowed is 0 to 2.')
    act(() => void fireEvent.input(field, { target: { value: '0,05' } }))
    act(() => void fireEvent.submit(field.closest('form') as HTMLFormElement))
    expect(told.at(-1)).toEqual({ do: 'set_advance', tool: 0, factor: 0.05 })
  })

  it('shows nothing that the firmware does not have', () => {
    open({ tuning: { ...none, has_advance: false, has_acceleration: false } })
    expect(told).toEqual([])
    expect(root.textContent).not.toContain('Pressure advance')
    expect(root.textContent).not.toContain('Acceleration')
  })
})

describe('the picture of the bed', () => {
  const answerOf = () => readMeshAnswer(golden('mesh'), '')

  it('has the front at the bottom, a number in each point, and the same as a table', () => {
    const { mesh } = answerOf()
    if (!mesh) throw new Error('no mesh')
    show(<MeshPicture mesh={mesh} />)
    const texts = [...root.querySelectorAll('svg text')].map((t) => t.textContent)
    expect(texts).toEqual(['−0.100', '+0.060', '+0.250', '0.000', '?', '+0.040'])
    const rows = [...root.querySelectorAll('tbody tr')].map((tr) => tr.textContent)
    expect(rows).toEqual(['Back−0.100+0.060+0.250', 'Front0.000unknown+0.040'])
    expect(getByRole(root, 'img').getAttribute('aria-label')).toContain('3 by 2 points, from −0.100 to +0.250 mm')
    const [low, , high] = [...root.querySelectorAll('rect')].map((r) => r.style.fill)
    expect(low).toContain('--mesh-low')
    expect(high).toContain('--mesh-high')
  })

  it('does not make mountains of a flat bed', () => {
    expect(tint(0.01, { low_mm: -0.01, high_mm: 0.01, mean_mm: 0 })).toBeCloseTo(0.2)
    expect(tint(0.5, { low_mm: -0.1, high_mm: 0.5, mean_mm: 0.1 })).toBe(1)
    expect(tint(-0.1, { low_mm: -0.1, high_mm: 0.5, mean_mm: 0.1 })).toBe(-0.5)
    expect([verdict({ low_mm: 0, high_mm: 0.05 }), verdict({ low_mm: -0.1, high_mm: 0.1 }), verdict({ low_mm: -0.5, high_mm: 0.1 })].map((t) => t.split(' ')[0])).toEqual(['Very', 'Flat', 'Far'])
  })

  it('shows the last mesh at once with its age, and reads another when asked', async () => {
    const asked = serve({ 'GET /v1/mesh': golden('mesh'), 'POST /v1/mesh': golden('mesh') })
    up({ state: 'idle', job: null })
    show(<MeshPage />)
    await waitFor(() => expect(root.textContent).toContain('Range0.350'))
    expect(asked).toEqual(['GET /v1/mesh'])
    await act(async () => void fireEvent.click(button('Read')))
    await waitFor(() => expect(asked).toEqual(['GET /v1/mesh', 'POST /v1/mesh']))
    await waitFor(() => expect(button('Read').disabled).toBe(false))
  })

  it('measures only after a question, when idle and homed', async () => {
    HTMLDialogElement.prototype.showModal = function () { this.open = true }
    HTMLDialogElement.prototype.close = function () { this.open = false }
    const asked = serve({ 'GET /v1/mesh': golden('mesh'), 'POST /v1/mesh/probe': golden('mesh') })
    up({ state: 'printing' })
    show(<MeshPage />)
    await waitFor(() => expect(root.textContent).toContain('Probing: '))
    expect(button('Probe now').disabled).toBe(true)
    up({ state: 'idle', job: null, homed: false })
    expect(root.textContent).toContain('Home all axes first')
    up({ state: 'idle', job: null, homed: true })
    act(() => void fireEvent.click(button('Probe now')))
    expect(asked).toEqual(['GET /v1/mesh'])
    await act(async () => void fireEvent.click(button('The bed is clear, measure')))
    await waitFor(() => expect(asked).toContain('POST /v1/mesh/probe'))
  })

  it('says when there is none', async () => {
    serve({ 'GET /v1/mesh': { mesh: null, busy: false, can_read: false, can_probe: false } })
    up({ state: 'idle', job: null })
    show(<MeshPage />)
    await waitFor(() => expect(root.textContent).toContain('No mesh was read yet'))
    expect(root.textContent).toContain('not known to tell a mesh')
    expect(button('Read').disabled).toBe(true)
  })
})

describe("the printer's settings", () => {
  const setting: Setting = { text: 'M92 X80.00 E93.00', command: 'M92', name: 'Steps per mm', note: '', changeable: true, words: [{ letter: 'X', value: 80 }, { letter: 'E', value: 93 }] }

  it('become a line with what was typed', () => {
    expect(changedLine(setting, ['80', '95,5'])).toBe('M92 X80 E95.5')
    expect(changedLine(setting, [])).toBe('M92 X80 E93')
    expect(changedLine(setting, ['80', 'G28'])).toBe('')
    expect(grouped([setting, { ...setting, command: '', text: 'hello', name: '' }, setting]).map((g) => [g.name, g.settings.length])).toEqual([['Steps per mm', 2], ['What else the printer says', 1]])
  })

  it('are read, changed one line at a time, and saved; copies can be restored', async () => {
    HTMLDialogElement.prototype.showModal = function () { this.open = true }
    HTMLDialogElement.prototype.close = function () { this.open = false }
    serve({ 'GET /v1/eeprom': golden('eeprom'), 'GET /v1/eeprom/copies': golden('eeprom_copies') })
    up({ state: 'idle', job: null })
    show(<EEPROMPage />)
    await waitFor(() => expect(root.textContent).toContain('Steps per mm'))
    expect(getByText(root, 'Filament settings: Disabled').closest('button')).toBeNull()
    act(() => void fireEvent.click(button(/^Change Steps per mm/)))
    act(() => void fireEvent.input(getByLabelText(root, 'E'), { target: { value: '95' } }))
    act(() => void fireEvent.submit(getByLabelText(root, 'E').closest('form') as HTMLFormElement))
    expect(told).toEqual([{ do: 'change_setting', line: 'M92 X80 Y80 Z400 E95' }])
    await act(async () => answer({}))
    await waitFor(() => expect(root.textContent).toContain('Changed until the printer is switched off'))
    await waitFor(() => expect(button('Save').disabled).toBe(false))
    await act(async () => void fireEvent.click(button('Save')))
    expect(told.at(-1)).toEqual({ do: 'save_settings' })
    await act(async () => answer({}))
    await waitFor(() => expect(root.textContent).not.toContain('Changed until'))
    expect(getByLabelText(root, 'Download copy 7').getAttribute('href')).toBe('/v1/eeprom/copies/7')
    await waitFor(() => expect(button('Restore copy 7').disabled).toBe(false))
    act(() => void fireEvent.click(button('Restore copy 7')))
    act(() => void fireEvent.click(button('Restore')))
    expect(told.at(-1)).toEqual({ do: 'restore_settings', copy: 7 })
  })

  it('wait for the end of a print, and are the owner\'s', async () => {
    const asked = serve({ 'GET /v1/eeprom/copies': golden('eeprom_copies') })
    up({ state: 'paused' })
    show(<EEPROMPage />)
    await waitFor(() => expect(root.textContent).toContain('before M92 E95'))
    expect(button('Save').disabled).toBe(true)
    expect(asked).not.toContain('GET /v1/eeprom')
    const s = exampleState()
    up({ state: 'idle', job: null, me: { ...s.me, role: 'operator' } })
    expect(root.textContent).toContain('Only an owner')
  })
})

it('signs numbers as people write them', () => {
  expect([signed(-0.04, 3), signed(0.05, 3), signed(0, 3), signed(-0.0001, 3), signed(2, 2)]).toEqual(['−0.04', '+0.05', '0', '0', '+2'])
})
