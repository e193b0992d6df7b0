// What a file says of itself, in words and in its sheet.
import { render } from 'preact'
import { act } from 'preact/test-utils'
import { afterEach, expect, test, vi } from 'vitest'
import { factRows, type FileFacts } from '../src/facts'
import { FileFactsList } from '../src/parts/filefacts'

const all: FileFacts = { slicer: 'PrusaSlicer 2.9.0', printer: 'MK4', layer_height_mm: 0.2, nozzle_mm: [0.4, 0.4], materials: ['PLA', 'PETG'], size_mm: [60.4, 31, 48], nozzle_c: 215, bed_c: 60, pauses: 3, filament_changes: 1, warnings: [] }
const nothing: FileFacts = { slicer: '', printer: '', layer_height_mm: 0, nozzle_mm: [0], materials: [], size_mm: [], nozzle_c: 0, bed_c: 0, pauses: 0, filament_changes: 0, warnings: [] }

test('what is known is said once, and what is not is left out', () => {
  expect(factRows(all).map((row) => row.join(': '))).toEqual(['Takes up: 60.4 × 31 × 48 mm', 'Layers of: 0.2 mm', 'Nozzle: 0.4 mm', 'Material: PLA, PETG', 'Heat: nozzle 215 °C, bed 60 °C', 'Stops by itself: 2 times, once for filament', 'Made by: PrusaSlicer 2.9.0', 'Made for: MK4'])
  expect(factRows(nothing)).toEqual([])
})

afterEach(() => vi.unstubAllGlobals())

test('doubts are shown in the sheet, as text; without layerd there is nothing', async () => {
  vi.stubGlobal('fetch', async (url: string) => {
    expect(url).toBe('/v1/facts/a%20b/c.gcode')
    return new Response(JSON.stringify({ ...all, slicer: '<b>x</b>', warnings: ['Line 7 prints at X 900.0 mm.'] }))
  })
  const at = document.createElement('div')
  const shown = async (): Promise<void> => {
    await act(async () => {
      render(<FileFactsList path="a b/c.gcode" version="1" />, at)
      await new Promise((on) => setTimeout(on, 0))
    })
  }
  await shown()
  await vi.waitFor(() => expect(at.querySelector('.warnings')?.textContent).toBe('Line 7 prints at X 900.0 mm.'))
  expect(at.querySelector('details')?.textContent).toContain('Made by<b>x</b>')
  render(null, at)
  vi.stubGlobal('fetch', async () => { throw new TypeError('network') })
  await shown()
  expect(at.innerHTML).toBe('')
})
