// What is said of a link that spoils the print, and that nothing is said of a fine one.
import { describe, expect, it } from 'vitest'
import { diagnosis, lineErrors, looseEnds, starvedText } from '../src/diagnosis'
import type { Health } from '../src/wire'
import { exampleState, fine, job } from './examples'

const dense: Health = { ...fine, starved_s: 92.4, starved_by: 'file', asked_lines_per_s: 903, carried_lines_per_s: 288, wire_percent: 87 }
const noisy: Health = { ...fine, lines_again: 31, resend_percent: 3.4, checksum_errors: 24 }

function said(health: Health, baud = 115200, elapsed_s = 3000): string[] {
  const state = exampleState({ health, job: { ...job, elapsed_s } })
  return diagnosis({ ...state, connection: { ...state.connection, baud } }).map((a) => `${a.title}: ${a.text} ${a.next}`)
}

describe('the diagnosis', () => {
  it('says nothing of a fine print', () => expect(said(fine)).toEqual([]))
  it('says nothing without a print', () => expect(diagnosis({ ...exampleState({ health: dense }), job: null })).toEqual([]))

  it.each<[string, Partial<Health>, number]>([
    ['less than two seconds', { starved_s: 1.9 }, 60],
    ['less than a hundredth of a long print', { starved_s: 29 }, 3000],
    ['two of a thousand lines sent again', { starved_s: 0, lines_again: 40, resend_percent: 0.2 }, 3000],
    ['two of a hundred lines sent again', { starved_s: 0, lines_again: 2, resend_percent: 2 }, 3000],
  ])('says nothing of %s', (_, change, elapsed) => expect(said({ ...dense, ...change }, 115200, elapsed)).toEqual([]))

  it('a dense file, and what to do about it', () => {
    expect(said(dense)).toEqual(['The print stutters: The file asks for 903 lines/s, this cable carries 288. Slice with fewer segments (resolution 0.05 mm) or use 250000 baud.'])
  })
  it('a faster line is no advice where there is none', () => {
    expect(said(dense, 250000)[0]).toMatch(/\(resolution 0\.05 mm\)\.$/)
    expect(said({ ...dense, wire_percent: -1 })[0]).toContain('this connection carries 288. Slice with fewer segments (resolution 0.05 mm).')
  })
  it('a slow disk', () => expect(said({ ...fine, starved_s: 40, starved_by: 'host' })[0]).toContain('The file is not read in time'))
  it('a slow board', () => expect(said({ ...fine, starved_s: 40, starved_by: 'printer' })[0]).toContain("The printer's board is slow to answer."))
  it('a long way there and back', () => expect(said({ ...dense, starved_by: 'wire' })[0]).toContain('without a hub'))
  it('a cause of a newer layerd', () => expect(said({ ...fine, starved_s: 40, starved_by: 'moon' })[0]).toContain('Lines come too late.'))

  it('noise alone', () => {
    expect(said(noisy)).toEqual(['The cable is noisy: 3.4 % of the lines had to be sent again. Try a shorter USB cable, away from mains and motor wires.'])
  })
  it('noise that makes it stutter is one thing', () => {
    expect(said({ ...noisy, starved_s: 100, starved_by: 'wire' })).toEqual([expect.stringMatching(/^The print stutters: the cable is noisy: 3\.4 %/)])
  })
  it('noise and a dense file are two', () => expect(said({ ...dense, lines_again: 900, resend_percent: 30.2 })).toHaveLength(2))
})

it('a print that is over says it in a line', () => {
  expect(looseEnds({ ...fine, elapsed_s: 3000 })).toBe('')
  expect(looseEnds({ ...dense, elapsed_s: 3000 })).toBe('Stuttered for 2 min (file too dense for the cable)')
  expect(looseEnds({ ...noisy, starved_s: 31, starved_by: 'moon', elapsed_s: 3000 })).toBe('Stuttered for 31 s · 3.4 % of the lines sent again')
})

it('the figures', () => {
  expect(lineErrors(fine)).toBe('')
  expect(lineErrors({ ...noisy, gap_errors: 5, missing_checksum_errors: 2, overruns: 1 })).toBe('24 damaged, 5 missing, 2 cut off, 1 perhaps for want of room in the printer')
  expect(starvedText(fine)).toBe('never')
  expect(starvedText(dense)).toBe('92.4 s, because of the file')
})
