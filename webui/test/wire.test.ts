// @vitest-environment node
// The shapes of all messages, against the golden files that the Go tests write.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readBackupReady } from '../src/backup'
import { readCurve, readRecent } from '../src/curves'
import { readFilms, readShots } from '../src/films'
import { readPrintLog, readTotals } from '../src/kept'
import { readNeighbours, readOverlay } from '../src/overlay'
import { readCardList } from '../src/cardlist'
import { middle, outline, readObjects } from '../src/objects'
import { readAlarms, readGuard } from '../src/guard'
import { readPower, readPowerState, readTried } from '../src/power'
import { readRecordings } from '../src/recordings'
import { readHealth } from '../src/health'
import { readHeights } from '../src/stops'
import { readQueue, readSpools } from '../src/shelf'
import { readFacts } from '../src/facts'
import { readLayers, readTimes } from '../src/times'
import { WireError } from '../src/read'
import { parse, readAnswer, readBeat, readChoices, readCommand, readConsole, readErrorBody, readFile, readFileList, readMessage, readPrintList, readState } from '../src/wire'
import { exampleState } from './examples'

const golden = new URL('../../internal/server/testdata/wire/', import.meta.url)
const names = readdirSync(golden).filter((name) => name.endsWith('.json'))

const read = (name: string) => parse(readFileSync(new URL(name, golden), 'utf8'))

/** What the first load only carries of a state is read later. */
const readWhole = (value: unknown, at: string) => {
  const state = readState(value, at)
  return { ...state, power: state.power == null ? null : readPowerState(state.power, 'power'), guard: state.guard === undefined ? undefined : readGuard(state.guard, 'guard') }
}

describe('golden files', () => {
  const readers: [RegExp, (value: unknown, at: string) => unknown][] = [
    [/^state/, readWhole], [/^power\.json/, readPower], [/^power_tried/, readTried], [/^answer/, readAnswer], [/^beat/, readBeat], [/^console/, readConsole], [/^files/, readFileList],
    [/^file\.json/, readFile], [/^prints/, readPrintList], [/^spools/, readSpools], [/^queue/, readQueue], [/^timelapses/, readFilms], [/^shots/, readShots], [/^objects/, readObjects], [/^alarms/, readAlarms], [/^recordings/, readRecordings], [/^heights/, readHeights], [/^choices/, readChoices], [/^command_/, readCommand], [/^error/, readErrorBody], [/^card/, readCardList],
    [/^temperatures/, readRecent], [/^curve/, readCurve], [/^totals/, readTotals], [/^print_log/, readPrintLog], [/^overlay/, readOverlay], [/^neighbours/, readNeighbours], [/^health/, readHealth], [/^layers/, readLayers], [/^times/, readTimes], [/^facts/, readFacts], [/^backup_ready/, readBackupReady],
  ]
  for (const name of names) {
    const found = readers.find(([pattern]) => pattern.test(name))
    if (!found) continue
    it(`${name} can be read, and nothing of it is lost`, () => {
      const value = read(name)
      expect(found[1](value, '')).toMatchObject(value as object)
    })
  }

  it.each(['state', 'answer_ok', 'answer_warning', 'beat', 'console', 'choices', 'files', 'prints', 'spools', 'queue', 'temperatures', 'curve', 'totals', 'timelapses', 'alarms', 'recordings', 'state_shift', 'print_log', 'overlay', 'neighbours', 'health', 'layers', 'times', 'facts', 'backup_ready', 'power', 'power_tried', 'state_counting', 'command_start'])('%s is there', (name) => {
    expect(names).toContain(`${name}.json`)
  })

  it('an object is drawn by its outline, else by its bounds, with the front of the bed at the bottom', () => {
    const [cube, clip] = readObjects(read('objects.json'), '').objects
    expect(outline(cube!)).toBe('20,-30.5 40,-30.5 40,-50.5 20,-50.5')
    expect(outline(clip!)).toBe('90,-30 120,-30 105,-42')
    expect(middle(cube!)).toEqual({ x: 30, y: -40.5 })
    expect(outline({ ...cube!, extent_mm: null })).toBe('')
  })

  it('every field of a state is one that this page knows', () => {
    const state = read('state.json') as Record<string, unknown>
    expect(Object.keys(readState(state, '')).sort()).toEqual(Object.keys(state).sort())
  })

  it('what the page sends has the same keys', () => {
    expect(read('page_beat.json')).toEqual({ beat: expect.any(Number) as number })
    expect(read('page_console_on.json')).toEqual({ console: { on: true, since: expect.any(Number) as number } })
    expect(read('frame_ack.json')).toEqual({ ack: expect.any(Number) as number, save: true })
    expect(read('frame_got.json')).toEqual({ got: expect.any(Number) as number })
  })
})

describe('readMessage', () => {
  it('tells messages apart by their type', () => {
    expect(readMessage(JSON.stringify(exampleState()))?.type).toBe('state')
    expect(readMessage('{"type":"beat","now_ms":5}')).toEqual({ type: 'beat', echo: null, now_ms: 5 })
    expect(readMessage('{"type":"answer","id":"a","rev":3}')).toEqual({ type: 'answer', id: 'a', rev: 3, job: '', error: null })
  })

  it('passes over a type of a newer layerd', () => {
    expect(readMessage('{"type":"weather"}')).toBeNull()
  })

  it.each([
    ['no JSON', 'hello', 'not JSON'],
    ['a list', '[]', 'a list, expected an object'],
    ['a missing key', '{"type":"answer"}', 'id: undefined, expected a string'],
    ['a wrong state', JSON.stringify({ ...exampleState(), state: 'dancing' }), 'state: string, expected disconnected or'],
    ['a number as text', JSON.stringify({ ...exampleState(), rev: '7' }), 'rev: string, expected a number'],
    ['a wrong heater', JSON.stringify({ ...exampleState(), nozzles: [{ actual_c: 1 }] }), 'nozzles[0].target_c: undefined'],
  ])('refuses %s and says where', (_, text, where) => {
    expect(() => readMessage(text)).toThrow(WireError)
    expect(() => readMessage(text)).toThrow(where)
  })

  it("reads Go's null as an empty list or map", () => {
    const state = readMessage(JSON.stringify({ ...exampleState(), nozzles: null, locked: null }))
    expect(state).toMatchObject({ nozzles: [], locked: {} })
  })
})
