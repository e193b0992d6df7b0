// The live socket: reconnecting, sending again, what is silent too long.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Link, type LinkStatus } from '../src/link'
import type { Answer, Entry, State } from '../src/wire'
import { exampleState } from './examples'
import { PretendSocket, pretendSockets } from './sockets'

let link: Link
let statuses: LinkStatus[]
let states: State[]
let said: Entry[]
let refused: number
let strange: Error[]

beforeEach(() => {
  vi.useFakeTimers()
  vi.setSystemTime(1_000_000)
  vi.spyOn(Math, 'random').mockReturnValue(0.5) // waits are exactly 0.5, 1, 2 … s
  pretendSockets()
  statuses = []
  states = []
  said = []
  refused = 0
  strange = []
  link = new Link({
    status: (s) => statuses.push(s),
    state: (s) => states.push(s),
    lines: (l) => said.push(...l),
    refused: () => refused++,
    strange: (e) => strange.push(e),
  })
  link.start()
})

afterEach(() => {
  link.stop()
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

/** Opens the newest socket and sends the first State. */
function up(rev = 10): PretendSocket {
  const socket = PretendSocket.newest
  socket.open()
  socket.say(exampleState({ rev }))
  return socket
}

describe('connecting', () => {
  it('is up from the first State, not before', () => {
    PretendSocket.newest.open()
    expect(statuses).toEqual([])
    PretendSocket.newest.say(exampleState())
    expect(statuses).toEqual(['up'])
    expect(states).toHaveLength(1)
  })

  it('tries again after 0.5, 1, 2, 4, 8, 8 s, and from 0.5 s again after a success', () => {
    for (const wait of [500, 1000, 2000, 4000, 8000, 8000]) {
      const count = PretendSocket.all.length
      PretendSocket.newest.break()
      vi.advanceTimersByTime(wait - 1)
      expect(PretendSocket.all).toHaveLength(count)
      vi.advanceTimersByTime(1)
      expect(PretendSocket.all).toHaveLength(count + 1)
    }
    up().break()
    const count = PretendSocket.all.length
    vi.advanceTimersByTime(500)
    expect(PretendSocket.all).toHaveLength(count + 1)
  })

  it('spreads the waits by a quarter', () => {
    vi.mocked(Math.random).mockReturnValue(0)
    PretendSocket.newest.break()
    vi.advanceTimersByTime(375)
    expect(PretendSocket.all).toHaveLength(2)
  })

  it('asks whether we are logged in when it cannot even open', () => {
    PretendSocket.newest.break()
    expect(refused).toBe(1)
    vi.advanceTimersByTime(500)
    up().break()
    expect(refused).toBe(1)
  })

  it('ends when layerd closes with 4401', () => {
    up().break(4401)
    vi.advanceTimersByTime(60_000)
    expect(statuses).toEqual(['up', 'denied'])
    expect(PretendSocket.all).toHaveLength(1)
  })

  it('connects at once when the phone is online again', () => {
    up().break()
    vi.advanceTimersByTime(100)
    dispatchEvent(new Event('online'))
    expect(PretendSocket.all).toHaveLength(2)
  })

  it('connects at once when the page is looked at again', () => {
    up().break()
    document.dispatchEvent(new Event('visibilitychange'))
    expect(PretendSocket.all).toHaveLength(2)
  })

  it('distrusts a socket that was silent while the phone slept', () => {
    up()
    vi.setSystemTime(Date.now() + 3600_000) // timers slept too
    document.dispatchEvent(new Event('visibilitychange'))
    expect(statuses).toEqual(['up', 'lost'])
    vi.advanceTimersByTime(500)
    up()
    expect(statuses).toEqual(['up', 'lost', 'up'])
  })
})

describe('silence', () => {
  it('of 6 s is a lost link', () => {
    up()
    vi.advanceTimersByTime(5999)
    expect(statuses).toEqual(['up'])
    vi.advanceTimersByTime(1)
    expect(statuses).toEqual(['up', 'lost'])
  })

  it('ends with any message', () => {
    const socket = up()
    for (let i = 0; i < 5; i++) {
      vi.advanceTimersByTime(5000)
      socket.say({ type: 'beat', now_ms: 1 })
    }
    expect(statuses).toEqual(['up'])
  })

  it('a late word of the dropped socket is not heard', () => {
    const first = up()
    vi.advanceTimersByTime(6000)
    first.say(exampleState({ rev: 99 }))
    expect(states).toHaveLength(1)
  })

  it('is prevented by a beat every 2 s', () => {
    const socket = up()
    vi.advanceTimersByTime(1000)
    const burst = socket.sent.length
    for (let i = 0; i < 4; i++) {
      vi.advanceTimersByTime(2000)
      socket.say({ type: 'beat', now_ms: 1 })
    }
    const beats = socket.sent.slice(burst).map((text) => JSON.parse(text) as { beat: number })
    expect(beats).toHaveLength(4)
    expect(beats[1]!.beat - beats[0]!.beat).toBe(2000)
  })
})

describe('commands', () => {
  const settled = async (answer: Promise<Answer>): Promise<Answer | 'waiting'> => Promise.race([answer, Promise.resolve().then(() => 'waiting' as const)])

  it('are answered by id', async () => {
    const socket = up()
    const pause = link.do({ do: 'pause', job: 'j1' })
    const fan = link.do({ do: 'set_fan', percent: 50 })
    const [a, b] = socket.commands
    expect(a).toMatchObject({ do: 'pause', job: 'j1' })
    expect(b).toMatchObject({ do: 'set_fan', percent: 50 })
    socket.say({ type: 'answer', id: b!.id, rev: 12 })
    expect(await fan).toMatchObject({ rev: 12 })
    expect(await settled(pause)).toBe('waiting')
    socket.say({ type: 'answer', id: a!.id, error: { code: 'other_job', message: 'No.', next: '' } })
    expect((await pause).error?.code).toBe('other_job')
  })

  it('are refused while the link is lost', async () => {
    up().break()
    expect((await link.do({ do: 'home', axes: '' })).error?.code).toBe('link_lost')
    vi.advanceTimersByTime(500)
    expect(up().commands).toEqual([])
  })

  it('without an answer are sent again with the same id', async () => {
    const first = up()
    const jog = link.do({ do: 'jog', axes: 'x', by_mm: 10 })
    first.break()
    vi.advanceTimersByTime(500)
    const second = up()
    expect(second.commands).toEqual(first.commands)
    second.say({ type: 'answer', id: second.commands[0]!.id, rev: 11 })
    expect((await jog).error).toBeNull()
    second.break()
    vi.advanceTimersByTime(500)
    expect(up().commands).toEqual([])
  })

  it('that move are not sent again after a long gap, but a pause is', async () => {
    const first = up()
    const jog = link.do({ do: 'jog', axes: 'x', by_mm: 10 })
    void link.do({ do: 'pause', job: 'j1' })
    first.break()
    vi.setSystemTime(Date.now() + 60_000)
    vi.advanceTimersByTime(500)
    expect(up().commands.map((c) => c.do)).toEqual(['pause'])
    expect((await jog).error?.code).toBe('link_lost')
  })

  it('that layerd never answers end with an error', async () => {
    const socket = up()
    const home = link.do({ do: 'home', axes: '' })
    for (let i = 0; i < 80; i++) {
      vi.advanceTimersByTime(2000)
      socket.say({ type: 'beat', now_ms: 1 })
    }
    expect((await home).error?.code).toBe('no_answer')
  })
})

describe('the console', () => {
  const watches = (socket: PretendSocket) => socket.sent.map((text) => JSON.parse(text) as { console?: unknown }).flatMap((m) => m.console ?? [])
  const entry = (seq: number): Entry => ({ seq, at_ms: 1, dir: 'in', text: 'ok' })

  it('goes on after a reconnect where it stopped', () => {
    const first = up()
    link.watchConsole(true, 0)
    first.say({ type: 'console', lines: [entry(1), entry(7)] })
    first.break()
    vi.advanceTimersByTime(500)
    const second = up(11)
    expect(watches(first)).toEqual([{ on: true, since: 0 }])
    expect(watches(second)).toEqual([{ on: true, since: 7 }])
    expect(said.map((e) => e.seq)).toEqual([1, 7])
  })

  it('begins anew when layerd was restarted', () => {
    const first = up(500)
    link.watchConsole(true, 90)
    first.break()
    vi.advanceTimersByTime(500)
    expect(watches(up(3)).at(-1)).toEqual({ on: true, since: 0 })
  })
})

it('what cannot be read is told, and the link stays', () => {
  const socket = up()
  socket.say('{"type":"state"}')
  expect(strange.map(String)).toEqual(['WireError: rev: undefined, expected a number'])
  expect(statuses).toEqual(['up'])
})

describe('the clock', () => {
  it("believes the beat with the shortest round trip", () => {
    const socket = up()
    const now = Date.now()
    socket.say({ type: 'beat', echo: now - 3000, now_ms: now + 60_000 }) // 3 s: vague
    socket.say({ type: 'beat', echo: now - 20, now_ms: now + 5000 - 10 })
    expect(link.clock.offsetMs).toBe(5000)
    expect(link.clock.rttMs).toBe(20)
    expect(link.clock.now()).toBe(now + 5000)
  })
})
