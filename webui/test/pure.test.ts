// The small pure parts: pending asks, listing, console filter, routes, words.
import { describe, expect, it } from 'vitest'
import { filtered, isChatter, Recall } from '../src/chatter'
import { freePath, listing, unpackedName } from '../src/listing'
import { answered, asked, refused, seen, type Asks } from '../src/pending'
import { readRoute, routeHash } from '../src/route'
import { pauseText, stateText, whyNot } from '../src/words'
import type { Entry } from '../src/wire'
import { exampleFile, exampleState } from './examples'

describe('pending asks', () => {
  const doing = { do: 'pause', job: 'j1' } as const
  const one = asked(new Map(), 'job', { token: 1, doing, rev: null })
  const keys = (asks: Asks) => [...asks.keys()]

  it('wait for their answer whatever the State says', () => expect(keys(seen(one, 99, false))).toEqual(['job']))
  it('then for a State with its revision', () => {
    const told = answered(one, 'job', 1, 12, 10)
    expect(keys(seen(told, 11, false))).toEqual(['job'])
    expect(keys(seen(told, 12, false))).toEqual([])
  })
  it('are over at once when that State came first', () => expect(keys(answered(one, 'job', 1, 12, 12))).toEqual([]))
  it('are over with an error', () => expect(keys(refused(one, 'job', 1))).toEqual([]))
  it('a newer ask on the same control is not ended by the answer to the older', () => {
    const two = asked(one, 'job', { token: 2, doing, rev: null })
    expect(keys(answered(two, 'job', 1, 12, 12))).toEqual(['job'])
    expect(keys(refused(two, 'job', 1))).toEqual(['job'])
  })
  it('do not wait for a revision of before a restart', () => expect(keys(seen(answered(one, 'job', 1, 500, 10), 2, true))).toEqual([]))
  it('an unchanged map stays the same object', () => expect(seen(one, 5, false)).toBe(one))
})

describe('listing', () => {
  const files = [
    exampleFile('b.gcode', { modified_ms: 1, bytes: 30 }), exampleFile('a10.gcode', { modified_ms: 3, bytes: 20 }), exampleFile('a9.gcode', { modified_ms: 2, bytes: 10 }),
    exampleFile('toys', { folder: true }), exampleFile('toys/boat.gcode'), exampleFile('toys/big/boat 2.gcode'),
  ]
  const names = (...args: [string, string, 'newest' | 'name' | 'size']) => listing(files, ...args).map((f) => f.path)
  it('folders first, then the newest', () => expect(names('', '', 'newest')).toEqual(['toys', 'a10.gcode', 'a9.gcode', 'b.gcode']))
  it('names as people count', () => expect(names('', '', 'name')).toEqual(['toys', 'a9.gcode', 'a10.gcode', 'b.gcode']))
  it('the biggest first', () => expect(names('', '', 'size')).toEqual(['toys', 'b.gcode', 'a10.gcode', 'a9.gcode']))
  it('inside a folder', () => expect(names('toys', '', 'name')).toEqual(['toys/boat.gcode']))
  it('a search goes deeper and needs all words', () => expect(names('', 'TOYS 2', 'name')).toEqual(['toys/big/boat 2.gcode']))
  it.each([
    ['cube.gcode', 'cube.gcode'], ['cube.bgcode', 'cube.gcode'], ['Cube.BGC', 'Cube.gcode'], ['cube.ufp', 'cube.gcode'], ['cube.gcode.3mf', 'cube.gcode'], ['a.b.3mf', 'a.b.gcode'],
    ['cube.gcode.gz', 'cube.gcode'], ['cube.gco.gz', 'cube.gco'], ['cube.bgcode.gz', 'cube.gcode'], ['cube.g.ufp', 'cube.g'], ['cube.stl', 'cube.stl'], ['bgcode', 'bgcode'],
  ])('%s is stored as %s', (name, stored) => expect(unpackedName(name)).toBe(stored))
  it('finds a path that is free', () => expect(freePath('toys/boat.gcode', new Set(['toys/boat (2).gcode']))).toBe('toys/boat (3).gcode'))
  it('also without an ending', () => expect(freePath('a.b/boat', new Set())).toBe('a.b/boat (2)'))
})

describe('the console', () => {
  const entry = (dir: Entry['dir'], text: string): Entry => ({ seq: 1, at_ms: 1, dir, text })
  it.each([['in', 'ok'], ['in', 'ok N12 P15 B3'], ['in', 'ok T:21.3 /0.0 B:20 /0'], ['in', 'T:214.8 /215.0 B:60.0 /60.0 @:55'], ['in', ' T0:20.1 /0'], ['out', 'N12 M105*36'], ['out', 'M155 S2'], ['in', 'echo:busy: processing'], ['in', 'Not SD printing'], ['in', 'SD printing byte 5/99']] as const)(
    '%s %s is chatter', (dir, text) => expect(isChatter(entry(dir, text))).toBe(true))
  it.each([['in', 'Error:Thermal Runaway'], ['in', 'Resend: 12'], ['in', 'okay then'], ['out', 'N3 G1 X2*96'], ['out', 'M1050'], ['note', 'ok']] as const)(
    '%s %s is not', (dir, text) => expect(isChatter(entry(dir, text))).toBe(false))
  it('filters by text, whatever its case', () => {
    expect(filtered([entry('in', 'ok'), entry('in', 'FIRMWARE_NAME:Marlin')], true, 'marlin').map((e) => e.text)).toEqual(['FIRMWARE_NAME:Marlin'])
  })
  it('recalls what was typed, and the draft at its end', () => {
    const recall = new Recall()
    recall.add('M114')
    recall.add('G28')
    expect([recall.older('dra'), recall.older(''), recall.older(''), recall.newer(''), recall.newer('')]).toEqual(['G28', 'M114', 'M114', 'G28', 'dra'])
  })
})

describe('routes', () => {
  it.each([['', 'print', ''], ['#/files/a%20b/c', 'files', 'a b/c'], ['#/nowhere', 'print', ''], ['#/move', 'move', ''], ['#/files/%', 'files', '%']])(
    '%s', (hash, screen, rest) => expect(readRoute(hash)).toEqual({ screen, rest }))
  it('there and back', () => expect(readRoute(routeHash('files', 'ä/50% #1?.gcode'))).toEqual({ screen: 'files', rest: 'ä/50% #1?.gcode' }))
})

describe('words', () => {
  it('a request comes before the state', () => expect(stateText({ state: 'printing', lost: null }, { do: 'pause', job: 'j' })).toBe('Pausing…'))
  it('never says paused while the head moves', () => expect(stateText({ state: 'pausing', lost: null }, null)).toBe('Pausing…'))
  const all = () => true
  it.each([
    ['idle', 'idle', ''], ['printing', 'connected', ''], ['printing', 'free', 'Not while the printer is printing. Pause it first.'], ['paused', 'free', ''],
    ['paused', 'idle', 'Not in the middle of a print.'], ['disconnected', 'connected', 'The printer is not connected.'], ['halted', 'connected', 'The printer was stopped by the emergency stop.'],
  ] as const)('%s, %s', (name, need, want) => expect(whyNot(exampleState({ state: name }), true, all, need)).toBe(want))
  it('what the firmware holds cannot be moved', () => {
    const held = { by: 'firmware', message: '', filament: false, layer: 0, held: true, shift: null }
    expect(whyNot(exampleState({ state: 'paused', pause: held }), true, all, 'free')).toContain('Answer it')
    expect(whyNot(exampleState({ state: 'paused', pause: held }), true, all, 'connected')).toBe('')
  })
  it.each([['person', false, ''], ['file', true, 'Time to change the filament'], ['runout', true, 'The filament has run out'], ['something new', false, 'The printer has paused by itself']] as const)(
    'a pause by %s', (by, filament, want) => expect(pauseText({ by, message: '', filament, layer: 7, held: false, shift: null })).toBe(want))
  it('first of all the link and the role', () => {
    expect(whyNot(exampleState({ state: 'idle' }), false, all, 'idle')).toBe('No connection to layerd.')
    expect(whyNot(exampleState({ state: 'idle' }), true, () => false, 'idle')).toContain('may look')
  })
})
