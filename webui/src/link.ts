// The live socket: states, answers and console lines in, commands and beats out. No other file knows how they travel.
//
//	do(command) ─▶ sent, remembered by id ─▶ its answer settles the promise
//	                 └─ link lost: sent again with the same id, which layerd takes once
//
// The link is up from the first State of a connection until it closes or nothing came for 6 s.
import { Clock } from './clock'
import { Socket } from './socket'
import { readMessage, type Answer, type Command, type Doing, type Entry, type State } from './wire'

export type LinkStatus = 'connecting' | 'up' | 'lost' | 'denied'

export interface LinkEvents {
  status(status: LinkStatus): void
  state(state: State): void
  lines(lines: Entry[]): void
  /** An attempt to connect failed before it was open: find out whether we are still logged in. */
  refused(): void
  /** layerd said something that this page cannot read. */
  strange(error: Error): void
}

const beatMs = 2000
const quietMs = 6000
const answerTimeoutMs = 150_000 // layerd itself gives up after two minutes

// After a gap, a late stop or pause is still wanted. What moves or heats is not: the person may stand elsewhere by now.
const resendMs: Partial<Record<Doing['do'], number>> = { pause: 300_000, cancel: 300_000, emergency_stop: 300_000 }
const resendOtherMs = 15_000

interface Waiting {
  command: Command
  sinceMs: number
  settle(answer: Answer): void
}

/** failure is an answer that the page gives to itself. */
export function failure(id: string, code: string, message: string, next: string): Answer {
  return { type: 'answer', id, rev: 0, job: '', error: { code, message, next, warnings: [], problems: [] } }
}

/** newID names a command. crypto.randomUUID would need HTTPS. */
export function newID(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, '0')).join('')
}

export class Link {
  readonly clock = new Clock()
  private readonly socket: Socket
  private readonly waiting = new Map<string, Waiting>()
  private status: LinkStatus = 'connecting'
  private rev = 0
  private consoleOn = false
  private consoleSeq = 0
  private beats: ReturnType<typeof setInterval> | undefined

  constructor(private readonly on: LinkEvents) {
    this.socket = new Socket('/v1/live', quietMs, {
      opened: () => this.opened(),
      message: (data) => this.message(data),
      down: (wasOpen) => this.down(wasOpen),
      denied: () => this.denied(),
    })
  }

  start(): void {
    this.become('connecting')
    this.beats ??= setInterval(() => this.beat(), beatMs)
    this.socket.start()
  }

  stop(): void {
    clearInterval(this.beats)
    this.beats = undefined
    this.socket.stop()
    for (const id of [...this.waiting.keys()]) this.settle(failure(id, 'stopped', 'This page was closed.', ''))
  }

  /** Tries to connect now. */
  retry(): void {
    this.socket.retry()
  }

  /** When layerd was last heard, in the phone's ms. */
  get heardMs(): number {
    return this.socket.heardMs
  }

  /** Has layerd do something. The promise always settles with an answer; one with an error when it was refused or the link failed. */
  do(doing: Doing, id: string = newID()): Promise<Answer> {
    const command: Command = { ...doing, id }
    if (this.status !== 'up') {
      return Promise.resolve(failure(id, 'link_lost', 'There is no connection to layerd, so nothing was sent.', 'Try again when the link is back.'))
    }
    return new Promise((resolve) => {
      this.waiting.set(id, { command, sinceMs: Date.now(), settle: resolve })
      this.socket.send(JSON.stringify(command))
    })
  }

  /** Begins or ends the stream of console lines; it goes on after a reconnect where it stopped. */
  watchConsole(on: boolean, since: number): void {
    this.consoleOn = on
    this.consoleSeq = since
    this.sendWatch()
  }

  private opened(): void {
    // One beat alone may have been slow on its way: a few in a row find the clock at once.
    for (const afterMs of [0, 250, 500, 750]) setTimeout(() => this.beat(), afterMs)
    if (this.consoleOn) this.sendWatch()
    const now = Date.now()
    for (const { command, sinceMs } of [...this.waiting.values()]) {
      if (now - sinceMs <= (resendMs[command.do] ?? resendOtherMs)) {
        this.socket.send(JSON.stringify(command))
      } else {
        this.settle(failure(command.id, 'link_lost', 'The link was lost before layerd answered.', 'Look at what the printer does now; then try again.'))
      }
    }
  }

  private message(data: string | ArrayBuffer): void {
    if (typeof data !== 'string') return
    try {
      const message = readMessage(data)
      if (!message) return
      switch (message.type) {
        case 'state': return this.state(message)
        case 'answer': return this.settle(message)
        case 'console': return this.lines(message.lines)
        case 'beat':
          if (message.echo !== null) this.clock.beat(message.echo, message.now_ms, Date.now())
          else this.clock.hint(message.now_ms, Date.now())
      }
    } catch (error) {
      this.on.strange(error instanceof Error ? error : new Error(String(error)))
    }
  }

  private state(state: State): void {
    this.clock.hint(state.now_ms, Date.now())
    if (state.rev < this.rev) this.restarted()
    this.rev = state.rev
    this.on.state(state)
    this.become('up')
  }

  /** A smaller revision than before: layerd was started again, and counts everything from the beginning. */
  private restarted(): void {
    this.consoleSeq = 0
    if (this.consoleOn) this.sendWatch()
  }

  private lines(lines: Entry[]): void {
    const last = lines.at(-1)
    if (!last) return
    this.consoleSeq = last.seq
    this.on.lines(lines)
  }

  private settle(answer: Answer): void {
    const waiting = this.waiting.get(answer.id)
    if (!waiting) return
    this.waiting.delete(answer.id)
    waiting.settle(answer)
  }

  private down(wasOpen: boolean): void {
    this.become('lost')
    if (!wasOpen) this.on.refused()
  }

  private denied(): void {
    this.stop()
    this.become('denied')
  }

  private beat(): void {
    const now = Date.now()
    this.socket.send(JSON.stringify({ beat: now }))
    if (this.status !== 'up') return
    for (const { command, sinceMs } of [...this.waiting.values()]) {
      if (now - sinceMs > answerTimeoutMs) {
        this.settle(failure(command.id, 'no_answer', 'layerd did not answer.', 'Look at what the printer does now; then try again.'))
      }
    }
  }

  private sendWatch(): void {
    this.socket.send(JSON.stringify({ console: { on: this.consoleOn, since: this.consoleSeq } }))
  }

  private become(status: LinkStatus): void {
    if (this.status === status) return
    this.status = status
    this.on.status(status)
  }
}
