// #/settings/mesh: how flat the bed is, as the printer has measured it.
import { useEffect, useState } from 'preact/hooks'
import { getMesh, probeMesh, readMesh, verdict, type MeshAnswer } from '../mesh'
import { Icon, Spinner } from '../parts/icon'
import { May } from '../parts/may'
import { MeshPicture } from '../parts/meshpicture'
import { Sheet } from '../parts/sheet'
import { height } from '../parts/tune'
import { allowed, complain, link, live, state, tick } from '../state'
import { moment } from '../units'
import { whyNot } from '../words'

const lookAgainMs = 3000

export function MeshPage() {
  void tick.value
  const [answer, setAnswer] = useState<MeshAnswer | null>(null)
  const [doing, setDoing] = useState<'' | 'read' | 'probe'>('')
  const [sure, setSure] = useState(false)
  const s = state.value
  const up = live.value
  const load = () => getMesh().then(setAnswer, complain)
  useEffect(() => {
    if (up) void load()
  }, [up])
  const busy = doing !== '' || answer?.busy === true
  useEffect(() => { // somebody else reads or measures; or our own request was lost on its way
    if (!busy || doing !== '') return
    const timer = setInterval(() => void load(), lookAgainMs)
    return () => clearInterval(timer)
  }, [busy, doing])
  if (!s) return null

  const run = (what: 'read' | 'probe') => {
    setDoing(what)
    const asked = what === 'read' ? readMesh() : probeMesh()
    asked.then(setAnswer, (error: unknown) => {
      complain(error)
      return load()
    }).finally(() => setDoing(''))
  }
  const whyRead = whyNot(s, up, allowed, 'connected')
  const whyProbe = whyRead || whyNot(s, up, allowed, 'idle') || (s.state !== 'idle' ? 'Not in the middle of a print.' : s.homed ? '' : 'Home all axes first, on the Move screen.')
  const mesh = answer?.mesh ?? null
  return (
    <section class="card" aria-label="Bed mesh">
      {answer === null && <p class="center"><Spinner /></p>}
      {answer && !mesh && <p>No mesh was read yet. Reading asks the printer for the one that it has; nothing moves.</p>}
      {mesh && (
        <>
          <dl class="mesh-facts num">
            <div><dt>Lowest</dt><dd>{height(mesh.low_mm)}</dd></div>
            <div><dt>Highest</dt><dd>{height(mesh.high_mm)}</dd></div>
            <div><dt>Range</dt><dd>{(mesh.high_mm - mesh.low_mm).toFixed(3)}</dd></div>
            <div><dt>Mean</dt><dd>{height(mesh.mean_mm)}</dd></div>
          </dl>
          <MeshPicture mesh={mesh} />
          <p>{verdict(mesh)}</p>
          <p class="muted small num">Read {moment(mesh.at_ms, link.clock.now())} · all in mm</p>
        </>
      )}
      {answer && !answer.can_read && s.connection.dialect !== '' && <p class="why"><Icon name="info" size={20} />This firmware is not known to tell a mesh.</p>}
      <May><div class="button-row">
        <button type="button" class="btn primary" disabled={busy || whyRead !== '' || !answer?.can_read} onClick={() => run('read')}>{doing === 'read' ? <Spinner /> : <Icon name="download" />} Read</button>
        <button type="button" class="btn" disabled={busy || whyProbe !== '' || !answer?.can_probe} aria-describedby="why-probe" onClick={() => setSure(true)}>{doing === 'probe' ? <Spinner /> : <Icon name="bed" />} Probe now</button>
      </div></May>
      {busy && doing !== 'read' && <p role="status"><Spinner /> The bed is being measured. That takes minutes, and goes on when this page is closed.</p>}
      {!busy && allowed('operator') && <p id="why-probe" class="why">{answer?.can_probe && whyProbe ? <><Icon name="info" size={20} />Probing: {whyProbe}</> : ''}</p>}
      {sure && (
        <Sheet title="Measure the bed now?" role="alertdialog" firm onClose={() => setSure(false)}>
          <p>The printer moves to each point of its bed and touches it with its probe. Nothing may lie on the bed, the nozzle must be clean, and the bed should be as warm as for printing.</p>
          <p class="muted">The printer keeps the new mesh until it is switched off; save it in “The printer's memory”.</p>
          <div class="sheet-actions">
            <button type="button" class="btn primary" onClick={() => {
              setSure(false)
              run('probe')
            }}>The bed is clear, measure</button>
            <button type="button" class="btn" onClick={() => setSure(false)}>Back</button>
          </div>
        </Sheet>
      )}
    </section>
  )
}
