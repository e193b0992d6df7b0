// How the guard is put for people, and what its timeline draws.
import { describe, expect, it } from 'vitest'
import { checkText, chipWords, clause, readGuard, seesText, spoiledText, timelineText, witnessText, type Guard } from '../src/guard'
import { place } from '../src/parts/blink'
import { blindStretches, path } from '../src/parts/timeline'
import { exampleGuard, seenLayer, witness } from './examples'

const watched = (change: Partial<Guard>) => chipWords(exampleGuard({ mode: 'pause', ...change }))

describe('the chip', () => {
  const sees = witness({ status: 'ready', detects_x_mm: 0.5, detects_y_mm: 0.5 })
  const ready = witness({ status: 'ready' })
  it.each([
    ['nothing is to be watched', { mode: 'off', camera: sees } as const, 'Not watching for layer shifts', 'off'],
    ['the camera sees', { camera: sees }, 'Watching · sees 0.5 mm', 'calm'],
    ['one axis is seen worse', { camera: { ...sees, detects_y_mm: 0.9 } }, 'Watching · sees X 0.5, Y 0.9 mm', 'calm'],
    ['one axis is not seen', { camera: { ...sees, detects_y_mm: 0 } }, 'Watching · sees X 0.5 mm', 'calm'],
    ['the camera is blind', { camera: witness({ status: 'blind', why: 'It is too dark.' }) }, 'Camera blind: too dark', 'warn'],
    ['and the switches are not', { camera: witness({ status: 'blind', why: 'The camera moved.' }), endstops: ready }, 'Camera blind: the camera moved · endstops still checked', 'warn'],
    ['there is no camera', { camera: witness({ status: 'unable' }), endstops: ready }, 'Watching by the endstops', 'calm'],
    ['nothing is set up', {}, 'Not watching: not set up yet', 'off'],
    ['nothing can be used', { camera: witness({ status: 'unable' }), endstops: witness({ status: 'unable' }) }, 'Not watching: nothing to watch with', 'off'],
  ])('says it when %s', (_, change, text, tone) => expect(watched(change)).toEqual({ text, tone }))
})

it('puts what layerd says after a colon', () => {
  expect(['It is too dark.', 'The head hides it.', 'X cannot be used.', '', 'USB is off'].map(clause)).toEqual(['too dark', 'the head hides it', 'X cannot be used', '', 'USB is off'])
})

it('says what a witness does, and never that a blind one is well', () => {
  expect(witnessText(witness({ status: 'blind', why: 'It is too dark.' }), 'Fine')).toEqual({ text: 'Sees nothing now: too dark', tone: 'warn' })
  expect(witnessText(witness({ status: 'unable', why: 'The switch never closed.' }), 'Fine')).toEqual({ text: 'Cannot be used: the switch never closed', tone: 'off' })
  expect(witnessText(witness({ status: 'ready' }), 'Fine')).toEqual({ text: 'Fine', tone: 'calm' })
  expect([seesText(0, 0), seesText(0, 1.25), seesText(0.35, 0.351)]).toEqual(['', 'Y 1.25 mm', '0.35 mm'])
  expect([0, 1, 2].map(spoiledText)).toEqual(['no spoiled layer', 'about 1 spoiled layer', 'about 2 spoiled layers'])
  expect(['right', 'lost', 'unsure', 'skipped', 'new'].map(checkText)).toEqual(['all is right', 'steps were lost', 'not sure', 'could not be made', 'new'])
})

describe('the timeline', () => {
  const layers = [
    seenLayer(7, 0.1, -0.2), seenLayer(8, 0.1, null), seenLayer(9, null, null, { blind: 'It is too dark.' }), seenLayer(10, null, null), seenLayer(11, -1.6, 0, { check: 'lost' }), seenLayer(12, null, null),
  ]
  it('never draws what was not seen: the lines break, and both axes unseen are hatched', () => {
    expect(blindStretches(layers)).toEqual([[2, 3], [5, 5]])
    expect(path(layers.map((l) => l.x_mm), (i) => i, (mm) => mm)).toBe('M0.0 0.1L1.0 0.1M4.0 -1.6')
    expect(path(layers.map((l) => l.y_mm), (i) => i, (mm) => mm)).toBe('M0.0 -0.2M4.0 0.0')
    expect(path([null, null], (i) => i, (mm) => mm)).toBe('')
  })
  it('is said in words, too', () => {
    expect(timelineText(layers)).toBe('Layers 7 to 12: X at most 1.6 mm off, Y at most 0.2 mm off; 3 not seen; 1 checked at the endstops, 1 of them wrong.')
    expect(timelineText([seenLayer(3, null, null)])).toBe('Layers 3 to 3: X not seen, Y not seen; 1 not seen.')
    expect(timelineText([])).toBe('No layer was looked at yet.')
  })
})

it('shows the whole picture for a crop that makes no sense', () => {
  expect(place([0.25, 0.5, 0.5, 0.5])).toEqual({ left: 0.25, top: 0.5, width: 0.5, height: 0.5 })
  for (const bad of [[], [0.5, 0, 0.6, 1], [0, 0, 0, 1], [-0.1, 0, 1, 1], [0, 0, 1]]) expect(place(bad)).toMatchObject(bad.length === 3 ? { width: 1, height: 1 } : { left: 0, top: 0, width: 1, height: 1 })
})

it('reads an older word for a mode as an error, not as watching', () => {
  expect(() => readGuard({ ...exampleGuard(), mode: 'maybe' }, 'guard')).toThrow('guard.mode')
})
