// What the set-up found out, and the fire drill: a layer shift on purpose, and what each witness says of it.
import { useState } from 'preact/hooks'
import { seesText, type Card, type Drill, type Guard } from '../guard'
import { allowed, asking, link, live, perform, state } from '../state'
import { moment, trim } from '../units'
import { whyNot } from '../words'
import { Icon, Spinner } from './icon'
import { Sheet } from './sheet'

/** "Detects X ≥ 0.5 mm, Y ≥ 0.9 mm within 2 layers" and what the endstops can, each with the reason where it cannot. */
export function ResultCard({ card }: { card: Card }) {
  const { x, y } = card.endstops
  const finds = seesText(x.usable ? x.threshold_mm : 0, y.usable ? y.threshold_mm : 0)
  const spread = Math.max(x.usable ? x.spread_mm : 0, y.usable ? y.spread_mm : 0)
  const sees = ([['X', card.x_mm], ['Y', card.y_mm]] as const).filter(([, mm]) => mm > 0)
  const blind = [card.x_mm <= 0 && 'X', card.y_mm <= 0 && 'Y'].filter(Boolean)
  return (
    <div class="result" data-testid="result-card">
      <section aria-label="Camera">
        <p class="result-head"><Icon name="camera" size={22} />{sees.length > 0 ? <span>Camera: detects {sees.map(([axis, mm], i) => <>{i > 0 && ', '}<strong>{axis} ≥ {trim(mm, 2)} mm</strong></>)} within 2 layers</span> : <span>Camera: cannot be used</span>}</p>
        {card.camera_w && <p class="muted small wrap">{card.camera_w}</p>}
        {sees.length > 0 && blind.length > 0 && <p class="muted small">It cannot tell a shift of {blind.join(' or ')}.</p>}
      </section>
      <section aria-label="Endstops">
        <p class="result-head"><Icon name="home" size={22} />{finds
          ? <span>Endstops: find <strong>{finds} or more</strong>{spread > 0 && `, exact to ± ${trim(Math.max(0.01, 3 * spread), 2)} mm`}; a check takes {Math.max(1, Math.round(card.check_s))} s</span>
          : <span>Endstops: cannot be used</span>}</p>
        {!x.usable && <p class="muted small wrap">X: {x.why || 'it cannot be checked'}</p>}
        {!y.usable && <p class="muted small wrap">Y: {y.why || 'it cannot be checked'}</p>}
      </section>
    </div>
  )
}

export function DrillCard({ g }: { g: Guard }) {
  const [asked, setAsked] = useState(false)
  const [axis, setAxis] = useState<'x' | 'y'>('x')
  const s = state.value
  const why = whyNot(s, live.value, allowed, 'idle')
  const busy = asking('drill') !== null || g.drill?.running === true
  return (
    <section class="card" aria-label="Fire drill">
      <h2>Fire drill</h2>
      <p>The head is moved aside on purpose, as if steps had been lost. Then the witnesses are asked, and you see what would have happened in a print.</p>
      {g.drill && !g.drill.running && <DrillResult drill={g.drill} />}
      {g.drill?.running && <p class="waits" role="status"><Spinner /> <span>The drill is under way. Keep your hands out of the printer.</span></p>}
      <div class="card-actions">
        {g.drill?.running
          ? <button type="button" class="btn" disabled={!live.value || asking('drill')?.do === 'guard_cancel'} onClick={() => void perform('drill', { do: 'guard_cancel' })}><Icon name="stop" size={20} /> Stop the drill</button>
          : <button type="button" class="btn" disabled={why !== '' || busy} aria-haspopup="dialog" onClick={() => setAsked(true)}>{busy ? <Spinner /> : <Icon name="play" size={20} />} {g.drill ? 'Try again' : 'Make a fire drill'}</button>}
      </div>
      {why && !g.drill?.running && <p class="why"><Icon name="info" size={18} />{why}</p>}
      {asked && (
        <Sheet title="Make a fire drill?" role="alertdialog" firm onClose={() => setAsked(false)}>
          <p>The printer homes, and its head goes to the endstops, for about a minute. <strong>The bed must be empty.</strong></p>
          <div class="segments" role="group" aria-label="Which axis loses steps">
            {(['x', 'y'] as const).map((one) => <button key={one} type="button" aria-pressed={axis === one} onClick={() => setAxis(one)}>{one === 'x' ? 'Left and right (X)' : 'To and fro (Y)'}</button>)}
          </div>
          <div class="sheet-actions">
            <button type="button" class="btn primary" disabled={why !== ''} onClick={() => {
              setAsked(false)
              void perform('drill', { do: 'guard_drill', axes: axis, empty: true })
            }}>The bed is empty, begin</button>
            <button type="button" class="btn" onClick={() => setAsked(false)}>Back</button>
          </div>
        </Sheet>
      )}
    </section>
  )
}

function DrillResult({ drill: d }: { drill: Drill }) {
  const when = moment(d.at_ms, link.clock.now())
  if (d.why) return <p class="why bar" data-testid="drill-result"><Icon name="warn" size={20} /><span class="wrap">The drill of {when} could not be made: {d.why}</span></p>
  return (
    <div class="drill" data-testid="drill-result">
      <p class={`drill-head ${d.paused ? 'good' : 'problem'}`}><Icon name={d.paused ? 'check' : 'warn'} size={22} /><strong>{d.paused ? 'It would have been noticed, and the print paused.' : 'It would not have paused the print.'}</strong></p>
      <dl class="list">
        <div><dt>Shift made</dt><dd class="num">{d.axis.toUpperCase()} by {trim(Math.abs(d.mm), 2)} mm, {when}</dd></div>
        <div><dt>Endstops</dt><dd class="wrap">{d.endstops || 'were not asked'}</dd></div>
        <div><dt>Camera</dt><dd class="wrap">{d.camera || 'was not asked'}</dd></div>
      </dl>
    </div>
  )
}
