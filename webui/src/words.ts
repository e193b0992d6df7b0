// What states and outcomes are called for people, and why a control cannot be used.
import { meters } from './units'
import type { CardStatus, Doing, Outcome, PauseInfo, Print, Role, State, StateName } from './wire'

const stateWords: Record<StateName, string> = {
  disconnected: 'Not connected',
  connecting: 'Connecting…',
  idle: 'Ready',
  starting: 'Starting…',
  printing: 'Printing',
  pausing: 'Pausing…',
  paused: 'Paused',
  resuming: 'Resuming…',
  cancelling: 'Stopping…',
  finishing: 'Finishing…',
  halting: 'Emergency stop…',
  halted: 'Halted',
  faulted: 'Stopped by a fault',
}

const askedWords: Partial<Record<Doing['do'], string>> = {
  start: 'Starting…', start_card: 'Starting…', pause: 'Pausing…', resume: 'Resuming…', cancel: 'Stopping…', connect: 'Connecting…', disconnect: 'Disconnecting…',
}

/** The state's name; a pending request comes first, because the printer is about to do it. */
export function stateText({ state, lost }: Pick<State, 'state' | 'lost'>, asked: Doing | null): string {
  return (asked && askedWords[asked.do]) ?? (lost ? 'USB connection lost' : stateWords[state])
}

/** The printer is not there because its power is off: no fault. */
export function switchedOff({ power, state }: Pick<State, 'power' | 'state'>): boolean {
  return state === 'disconnected' && (power as { on?: string } | null)?.on === 'off'
}

export type Tone = 'calm' | 'busy' | 'warn' | 'bad' | 'off'

export function stateTone(state: StateName): Tone {
  switch (state) {
    case 'idle': return 'calm'
    case 'disconnected': return 'off'
    case 'pausing': case 'paused': case 'cancelling': return 'warn'
    case 'halting': case 'halted': case 'faulted': return 'bad'
    default: return 'busy'
  }
}

const withJob: ReadonlySet<StateName> = new Set(['starting', 'printing', 'pausing', 'paused', 'resuming', 'cancelling', 'finishing'])

export function hasJob(state: StateName): boolean {
  return withJob.has(state)
}

/** A print has not ended: the printer has it, or it may go on when its USB connection is back. */
export function underWay({ state, lost }: Pick<State, 'state' | 'lost'>): boolean {
  return hasJob(state) || lost !== null
}

/** Somebody answers on the port and takes commands. */
export function isConnected(state: StateName): boolean {
  return state === 'idle' || withJob.has(state)
}

/** What a control needs: heat and fans can be set in mid-print; moving by hand waits for a pause, and some things for the end. */
export type Need = 'connected' | 'free' | 'idle'

/** Why a control cannot be used now, for people; "" when it can. */
export function whyNot(state: State | null, live: boolean, allowed: (role: Role) => boolean, need: Need): string {
  if (!state || !live) return 'No connection to layerd.'
  if (!allowed('operator')) return 'You may look, but not change anything.'
  switch (state.state) {
    case 'disconnected': return 'The printer is not connected.'
    case 'connecting': return 'The printer has not answered yet.'
    case 'halting': case 'halted': return 'The printer was stopped by the emergency stop.'
    case 'faulted': return state.lost ? "The printer's USB connection is lost. See the Print screen." : 'The printer stopped with a fault. See the Print screen.'
  }
  if (need === 'connected' || state.state === 'idle') return ''
  if (state.card?.printing) return 'The printer is printing from its own card.'
  if (state.pause?.held) return 'The printer itself holds the print. Answer it on the Print screen.'
  if (need === 'idle') return 'Not in the middle of a print.'
  return state.state === 'paused' ? '' : 'Not while the printer is printing. Pause it first.'
}

/** What a print from the printer's own card is called. */
export function cardName(card: Pick<CardStatus, 'name' | 'file'>): string {
  return card.name || card.file.replace(/^\//, '') || 'A file of its card'
}

/** Why the print stands still; "" when a person has paused it, who knows, or when a fault has, which says it itself. */
export function pauseText(pause: PauseInfo): string {
  switch (pause.by) {
    case 'person': case 'fault': return ''
    case 'file': return pause.filament ? 'Time to change the filament' : 'The file asks for a pause'
    case 'stop': return `${pause.filament ? 'Time to change the filament: ' : 'Paused '}before layer ${pause.layer}, as you asked`
    case 'shift': return 'Layer shift'
    case 'runout': return 'The filament has run out'
    default: return 'The printer has paused by itself'
  }
}

export function outcomeText(outcome: string): string {
  switch (outcome) {
    case 'done': return 'Finished'
    case 'cancelled': return 'Stopped'
    case 'failed': return 'Failed'
    case 'interrupted': return 'Interrupted'
    case '': return 'Under way'
    default: return outcome
  }
}

export function outcomeTone(outcome: string): Tone {
  switch (outcome) {
    case 'done': return 'calm'
    case 'failed': return 'bad'
    case 'interrupted': return 'warn'
    default: return 'off'
  }
}

/** "layer 12 of 240", "" when no layer is known. */
export function layerText(job: Pick<Outcome, 'layer' | 'layers'>): string {
  if (job.layer <= 0) return ''
  return job.layers > 0 ? `layer ${job.layer} of ${job.layers}` : `layer ${job.layer}`
}

/** Where an estimate of the time left comes from. */
export function leftByText(by: string): string {
  switch (by) {
    case 'print': return 'time by how this print goes'
    case 'moves': return 'time by the moves of the file'
    case 'slicer': return 'time as the slicer says'
    case 'printer': return 'time as the file says'
    default: return ''
  }
}

/** How much filament a print has used, of which spools; "" when it is not known. */
export function filamentText({ filament_mm: mm, filament_g: g, spools }: Print): string {
  if (mm <= 0) return ''
  return [meters(mm), g >= 0.5 && `${Math.round(g)} g`, spools].filter(Boolean).join(', ')
}
