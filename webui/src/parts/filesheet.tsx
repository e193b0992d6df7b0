// One file: what is known of it, and what can be done with it. Printing asks first whether the bed is clear, with the camera's picture beside
// the question; a warning about the file is shown before it is overridden.
import { useState } from 'preact/hooks'
import { fileURL } from '../api'
import { go, goInstead } from '../route'
import { allowed, live, perform, state } from '../state'
import { bytes, dash, duration, meters, moment } from '../units'
import { openViewer } from '../viewer/open'
import { outcomeText, underWay } from '../words'
import type { ApiError, FileInfo, GuardSettings, RecordChoice, StopAt } from '../wire'
import { Picture } from './camera'
import { Icon, Spinner } from './icon'
import { Thumbnail } from './job'
import { lazy } from './lazy'
import { Delete, Rename } from './filechange'
import { Sheet } from './sheet'

const QueueAdd = lazy(() => import('./queueadd').then((m) => m.QueueAdd))
const RecordLine = lazy(() => import('./recordchoice').then((m) => m.RecordLine))
const WatchLine = lazy(() => import('./watchchoice').then((m) => m.WatchLine), true)
const FileTime = lazy(() => import('./filetimes').then((m) => m.FileTime), true)
const FileFacts = lazy(() => import('./filefacts').then((m) => m.FileFactsList), true)
const StopsChoice = lazy(() => import('./stops').then((m) => m.StopsChoice), true)
const PowerLine = lazy(() => import('./power').then((m) => m.PowerLine), true)
const Needs = lazy(() => import('./spoolline').then((m) => m.Needs))

interface FileSheetProps {
  file: FileInfo
  files: readonly FileInfo[]
  nowMs: number
  onClose: () => void
}

/** What a person has allowed for this one start. */
type Allowance = { anyway?: boolean; over_limits?: boolean } & Chosen

/** What a person has chosen for it, where that is not as usual. */
type Chosen = { record?: RecordChoice; watch?: GuardSettings['mode']; stops?: readonly StopAt[]; power_off?: boolean }

type Step = 'details' | 'queue' | 'bed' | 'starting' | 'warning' | 'refused' | 'rename' | 'delete'

export function FileSheet({ file, files, nowMs, onClose }: FileSheetProps) {
  const [step, setStep] = useState<Step>('details')
  const [error, setError] = useState<ApiError | null>(null)

  const [allowance, setAllowance] = useState<Allowance>({})

  const start = async (all: Allowance) => {
    setStep('starting')
    setAllowance(all)
    const answer = await perform('job', { do: 'start', file: file.path, ...all }, true)
    if (!answer.error) {
      go('print')
      return
    }
    setError(answer.error)
    setStep(answer.error.code === 'warning' ? 'warning' : 'refused')
  }

  switch (step) {
    case 'rename': return <Rename file={file} files={files} onBack={() => setStep('details')} onDone={(path) => goInstead('files', path)} />
    case 'queue': return <QueueAdd file={file} onBack={() => setStep('details')} onDone={onClose} />
    case 'delete': return <Delete file={file} onBack={() => setStep('details')} onDone={onClose} />
    case 'bed': case 'starting': return <BedClear name={file.name} path={file.path} starting={step === 'starting'} onYes={(chosen) => void start(chosen)} onBack={() => setStep('details')} />
    case 'warning': case 'refused':
      return (
        <Sheet key="no" title={step === 'warning' ? 'Look at this first' : 'It was not started'} role="alertdialog" firm onClose={() => setStep('details')}>
          <p><strong>{error?.message}</strong></p>
          {error && error.warnings.length > 0 && <ul class="warnings">{error.warnings.map((text) => <li key={text}><Icon name="warn" size={20} /><span>{text}</span></li>)}</ul>}
          {error?.next && <p>{error.next}</p>}
          <div class="sheet-actions">
            {step === 'warning' && <button type="button" class="btn danger" onClick={() => void start({ ...allowance, anyway: true })}>Print anyway</button>}
            {error?.code === 'too_hot' && allowed('owner') && <button type="button" class="btn danger" onClick={() => void start({ ...allowance, over_limits: true })}>Print beyond the limit, once</button>}
            <button type="button" class="btn" onClick={() => setStep('details')}>Back</button>
          </div>
        </Sheet>
      )
    case 'details': return <Details file={file} nowMs={nowMs} onClose={onClose} onStep={setStep} />
  }
}

function Details({ file, nowMs, onClose, onStep }: { file: FileInfo; nowMs: number; onClose: () => void; onStep: (step: Step) => void }) {
  const s = state.value
  const operator = allowed('operator')
  const current = s?.job?.file === file.path && underWay(s)
  const why = !live.value ? 'No connection to layerd.' : !operator ? 'You may look, but not print.' : !s || s.state === 'idle' ? ''
    : underWay(s) ? 'Another print is under way.' : 'The printer is not ready. See the Print screen.'
  return (
    <Sheet title={file.name} onClose={onClose}>
      <div class="file-top">
        <Thumbnail path={file.path} version={file.sha256} size={112} has={file.thumbnail} />
        <dl class="facts num">
          <div><dt>Time</dt><dd>{file.estimate_s > 0 ? duration(file.estimate_s) : 'unknown'}</dd></div>
          <div><dt>Filament</dt><dd>{meters(file.filament_mm)}</dd></div>
          <div><dt>Layers</dt><dd>{file.layers > 0 ? file.layers : dash}</dd></div>
        </dl>
      </div>
      <p class="muted small num">
        {bytes(file.bytes)} · {moment(file.modified_ms, nowMs)} · {file.prints === 0 ? 'not printed yet' : file.prints === 1 ? 'printed once' : `printed ${file.prints} times`}
        {file.last_outcome && ` · last: ${outcomeText(file.last_outcome).toLowerCase()}`}
      </p>
      <FileTime path={file.path} version={file.sha256} />
      <FileFacts path={file.path} version={file.sha256} />
      <Needs needMM={file.filament_mm} />
      <div class="sheet-actions">
        {operator && <button type="button" class="btn primary" disabled={why !== ''} aria-describedby="why-print" onClick={() => onStep('bed')}><Icon name="print" /> Print</button>}
        {why && <p id="why-print" class="why"><Icon name="info" size={18} />{current ? 'This file is being printed.' : why}</p>}
        <button type="button" class="btn" onClick={() => void openViewer(file.path, file.name, current)}><Icon name="layers" /> Look at its layers</button>
        {operator && <button type="button" class="btn" disabled={!live.value} onClick={() => onStep('queue')}><Icon name="queue" /> Add to queue</button>}
      </div>
      {operator && <div class="file-tools">
        <a class="tool" href={fileURL(file.path)} download={file.name}><Icon name="download" /><span>Download</span></a>
        <button type="button" class="tool" disabled={!live.value || current} onClick={() => onStep('rename')}><Icon name="edit" /><span>Rename</span></button>
        <button type="button" class="tool bad" disabled={!live.value || current} onClick={() => onStep('delete')}><Icon name="trash" /><span>Delete</span></button>
      </div>}
    </Sheet>
  )
}

/** The question before every print. */
export function BedClear({ name, path, starting, onYes, onBack }: { name: string; path?: string; starting: boolean; onYes: (chosen: Chosen) => void; onBack: () => void }) {
  const s = state.value
  const camera = s?.cameras.find(({ device }) => device !== '' && device !== 'none')
  const [chosen, setChosen] = useState<Chosen>({})
  return (
    <Sheet key="bed" title="Is the bed clear?" onClose={onBack}>
      {camera && <div class="bed-picture"><Picture key={camera.id} status={camera} live={live.value} /></div>}
      <p>Before <strong class="wrap">{name}</strong> starts: nothing may lie on the bed, and nothing may be in the head's way.</p>
      {path && <RecordLine path={path} value={chosen.record ?? null} disabled={starting} onChange={(record) => setChosen({ ...chosen, record })} />}
      {path && <WatchLine value={chosen.watch ?? null} disabled={starting} onChange={(watch) => setChosen({ ...chosen, watch })} />}
      {path && <StopsChoice path={path} value={chosen.stops ?? []} disabled={starting} onChange={(stops) => setChosen({ ...chosen, stops })} />}
      {s?.power != null && <PowerLine s={s} value={chosen.power_off ?? null} disabled={starting} onChange={(power_off) => setChosen({ ...chosen, power_off })} />}
      <div class="sheet-actions">
        <button type="button" class="btn primary" disabled={starting || !live.value} onClick={() => onYes(chosen)}>
          {starting ? <><Spinner /> Starting…</> : <><Icon name="check" /> Bed is clear, print</>}
        </button>
        <button type="button" class="btn" disabled={starting} onClick={onBack}>Back</button>
      </div>
    </Sheet>
  )
}
