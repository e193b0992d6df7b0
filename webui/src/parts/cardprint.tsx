// A print from the printer's own memory card: what it is, and how far the printer has read it. It knows neither layers nor a time left.
import { bytes, duration, moment, percent } from '../units'
import { cardName } from '../words'
import type { CardStatus, StateName } from '../wire'
import { Icon } from './icon'

export function CardPrint({ card, state, waiting, nowMs }: { card: CardStatus; state: StateName; waiting: string; nowMs: number }) {
  const running = state === 'printing' || state === 'starting'
  const said = waiting === 'heating' ? 'Heating' : state === 'paused' ? 'Stands still' : card.bytes === 0 ? 'About to begin' : `${bytes(card.bytes)} of ${bytes(card.size)} read`
  return (
    <section class="card job" aria-label="Print from the card">
      <div class="job-head">
        <span class="thumb" style={{ width: '52px', height: '52px' }}><Icon name="part" size={26} /></span>
        <div>
          <h2 class="job-name" data-testid="job-name">{cardName(card)}</h2>
          <p class="muted">From the printer's own card</p>
        </div>
      </div>
      <div class="job-figures num">
        <p class="job-percent"><span data-testid="percent">{percent(card.percent)}</span><small> %</small></p>
        <p class="job-left"><span>{said}</span><span class="muted">seen since {moment(card.since_ms, nowMs)}</span></p>
      </div>
      <progress class={running ? '' : 'still'} max={100} value={card.percent} aria-label="Progress" aria-valuetext={`${percent(card.percent)} percent`} />
      <p class="job-foot muted num"><span>{duration(card.elapsed_s)} so far</span><span>by what the printer has read</span></p>
    </section>
  )
}
