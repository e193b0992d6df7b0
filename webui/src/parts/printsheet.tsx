// One print of the history: how it ended, its last picture, its temperatures, and the way to print it again.
import { useState } from 'preact/hooks'
import { looseEnds } from '../diagnosis'
import { getPrintLog, pictureURL, type LogLine } from '../kept'
import { allowed, complain, files } from '../state'
import { clockSeconds, dash, duration, moment, percent, sentence, trim } from '../units'
import { filamentText, layerText, outcomeText, outcomeTone } from '../words'
import type { FileInfo, Print } from '../wire'
import { PrintCurve } from './graphs'
import { Icon, Spinner } from './icon'
import { lazy } from './lazy'
import { Sheet } from './sheet'

const PrintAlarms = lazy(() => import('./printalarms').then((m) => m.PrintAlarms))

interface PrintSheetProps {
  print: Print
  nowMs: number
  onClose: () => void
  onAgain: (path: string) => void
}

export function PrintSheet({ print: p, nowMs, onClose, onAgain }: PrintSheetProps) {
  const running = p.outcome === ''
  const name = p.file.slice(p.file.lastIndexOf('/') + 1)
  return (
    <Sheet title={name} onClose={onClose}>
      <div>
        <p class={`outcome-word tone-${outcomeTone(p.outcome)}`}><span class="dot" aria-hidden="true" />{outcomeText(p.outcome)}</p>
        {p.reason && <p>{sentence(p.reason)}</p>}
        {p.fault && <p class="muted small num">{p.fault}</p>}
      </div>
      {p.has_picture && <Picture print={p} nowMs={nowMs} />}
      <dl class="list num">
        <div><dt>Started</dt><dd class="wrap">{moment(p.started_ms, nowMs)}{p.by && ` by ${p.by}`}</dd></div>
        {!running && <div><dt>Ended</dt><dd>{moment(p.ended_ms, nowMs)}</dd></div>}
        <div><dt>Printed for</dt><dd>{duration(p.elapsed_s)}</dd></div>
        <div><dt>Filament</dt><dd class="wrap">{filamentText(p) || dash}</dd></div>
        {p.outcome !== 'done' && <div><dt>Came to</dt><dd>{[`${percent(p.percent)} %`, layerText(p), p.z_mm > 0 && `${trim(p.z_mm, 2)} mm`].filter(Boolean).join(', ')}</dd></div>}
        {p.file !== name && <div><dt>File</dt><dd class="wrap">{p.file}</dd></div>}
        {p.lines_again > 0 && <div><dt>Lines sent again</dt><dd>{p.lines_again}</dd></div>}
      </dl>
      {looseEnds(p) && <p class="small num">{looseEnds(p)}</p>}
      {p.alarms > 0 && <PrintAlarms id={p.id} nowMs={nowMs} />}
      {(p.has_curve || running) && <PrintCurve id={p.id} />}
      {p.has_log && allowed('operator') && <Log id={p.id} />}
      {!running && <Again print={p} onAgain={onAgain} />}
    </Sheet>
  )
}

function Picture({ print: p, nowMs }: { print: Print; nowMs: number }) {
  const [failed, setFailed] = useState(false)
  if (failed) return null
  return <img class="last-picture" src={pictureURL(p.id)} alt={`The camera's last picture, ${moment(p.ended_ms, nowMs)}`} onError={() => setFailed(true)} />
}

/** The file to print again: of the same content, under its name or another, or of its name while its content is not known. Else why there is none. */
export function again(p: Pick<Print, 'file' | 'sha256'>, all: readonly FileInfo[] | null): { path: string; why: string } {
  if (!all) return { path: '', why: 'The list of files is not here yet.' }
  const same = all.filter((f) => !f.folder && p.sha256 !== '' && f.sha256 === p.sha256)
  const file = same.find((f) => f.path === p.file) ?? same[0]
  if (file) return { path: file.path, why: file.path === p.file ? '' : `It is called ${file.path} now.` }
  const there = all.find((f) => f.path === p.file && !f.folder)
  if (there && there.sha256 === '' && p.sha256 !== '') return { path: p.file, why: 'It may have been changed since: layerd has not read it yet.' }
  return { path: '', why: there ? 'The file of this name has another content now.' : 'The file is no longer there.' }
}

function Again({ print: p, onAgain }: { print: Print; onAgain: (path: string) => void }) {
  const { path, why } = again(p, files.value)
  const may = allowed('operator')
  const said = may ? why : 'You may look, but not print.'
  return (
    <div class="sheet-actions">
      {may && <button type="button" class="btn primary" disabled={path === ''} aria-describedby="why-again" onClick={() => onAgain(path)}><Icon name="print" /> Print again</button>}
      {said && <p id="why-again" class="why wrap"><Icon name="info" size={18} />{said}</p>}
    </div>
  )
}

/** The conversation before it failed, fetched when it is opened. */
function Log({ id }: { id: string }) {
  const [lines, setLines] = useState<LogLine[] | null>(null)
  const load = async () => {
    try {
      setLines(await getPrintLog(id))
    } catch (error) {
      complain(error)
    }
  }
  return (
    <details onToggle={(event) => {
      if (event.currentTarget.open && !lines) void load()
    }}>
      <summary>The last lines before it failed</summary>
      {lines ? (
        <div class="print-log" tabIndex={0} role="group" aria-label="Conversation">
          {lines.map((line, i) => <div key={i} class={`line ${line.dir}`}><time>{clockSeconds(line.at_ms)}</time><span class="sign" aria-hidden="true">{line.dir === 'out' ? '›' : line.dir === 'in' ? '‹' : '·'}</span><span class="text">{line.text}</span></div>)}
        </div>
      ) : <p class="center muted"><Spinner /></p>}
    </details>
  )
}
