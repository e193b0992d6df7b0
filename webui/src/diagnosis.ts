// What a person can do about a link that spoils the print, in words. Nothing is said while it is fine.
import { duration, trim } from './units'
import type { Health, Print, State } from './wire'

/** What is kept of the link when a print is over. */
type Kept = Pick<Print, 'lines_again' | 'resend_percent' | 'starved_s' | 'starved_by' | 'elapsed_s'>

export interface Advice { title: string; text: string; next: string }

/** A print that stood still for so much of its time shows it, and shorter halts are not worth a word. */
const leastS = 2
const leastPart = 0.01

function stutters(k: Kept): boolean {
  return k.starved_s >= leastS && k.starved_s >= leastPart * k.elapsed_s
}

function isNoisy(k: Pick<Kept, 'lines_again' | 'resend_percent'>): boolean {
  return k.lines_again >= 5 && k.resend_percent >= 1
}

const share = (percent: number) => `${percent < 10 ? trim(percent, 1) : Math.round(percent)} %`

/** What is to be said of the print under way, the worse first. */
export function diagnosis({ health: h, job, connection }: Pick<State, 'health' | 'job' | 'connection'>): Advice[] {
  if (!job) return []
  const said: Advice[] = []
  const stutter = stutters({ ...h, elapsed_s: job.elapsed_s })
  const noisy = isNoisy(h)
  const byNoise = noisy && h.starved_by === 'wire'
  if (stutter && !byNoise) said.push({ title: 'The print stutters', ...whose(h, connection.baud) })
  if (noisy) {
    said.push({
      title: stutter && byNoise ? 'The print stutters: the cable is noisy' : 'The cable is noisy',
      text: `${share(h.resend_percent)} of the lines had to be sent again.`, next: 'Try a shorter USB cable, away from mains and motor wires.',
    })
  }
  return said
}

/** Why it stutters, and what helps. */
function whose(h: Health, baud: number): Omit<Advice, 'title'> {
  const coarser = 'Slice with fewer segments (resolution 0.05 mm)'
  const hasRate = h.wire_percent >= 0
  const asked = Math.round(h.asked_lines_per_s), carried = Math.round(h.carried_lines_per_s)
  const rates = asked > 0 ? `The file asks for ${asked} lines/s, this ${hasRate ? 'cable' : 'connection'} carries ${carried}.` : 'Lines come too late.'
  switch (h.starved_by) {
    case 'file': return { text: rates, next: `${coarser}${hasRate && baud > 0 && baud < 250_000 ? ' or use 250000 baud' : ''}.` }
    case 'host': return { text: 'The file is not read in time: the memory card is slow, or the computer is busy.', next: 'End what else runs on it, or use a faster card.' }
    case 'printer': return { text: "The printer's board is slow to answer.", next: `${coarser}, or print slower.` }
    default: return { text: rates, next: 'Plug the printer straight into the computer, without a hub, or slice with fewer segments (resolution 0.05 mm).' }
  }
}

const reasons: Record<string, string> = { file: 'file too dense for the cable', wire: 'link too slow', host: 'file read too slowly', printer: 'board too slow' }

/** The same of a print that is over, in a line; "" when it was fine. */
export function looseEnds(k: Kept): string {
  const said: string[] = []
  if (stutters(k)) said.push(`Stuttered for ${duration(k.starved_s)}${reasons[k.starved_by] ? ` (${reasons[k.starved_by]})` : ''}`)
  if (isNoisy(k)) said.push(`${share(k.resend_percent)} of the lines sent again`)
  return said.join(' · ')
}

/** What firmware said against lines, for the figures; "" when nothing. */
export function lineErrors(h: Health): string {
  const said: string[] = []
  if (h.checksum_errors > 0) said.push(`${h.checksum_errors} damaged`)
  if (h.gap_errors > 0) said.push(`${h.gap_errors} missing`)
  if (h.missing_checksum_errors > 0) said.push(`${h.missing_checksum_errors} cut off`)
  if (h.overruns > 0) said.push(`${h.overruns} perhaps for want of room in the printer`)
  return said.join(', ')
}

/** How long the printer starved, for the figures. */
export function starvedText(h: Health): string {
  const by: Record<string, string> = { file: 'the file', wire: 'the link', host: 'reading the file', printer: "the printer's board" }
  return h.starved_s > 0 ? `${h.starved_s.toFixed(1)} s${by[h.starved_by] ? `, because of ${by[h.starved_by]}` : ''}` : 'never'
}
