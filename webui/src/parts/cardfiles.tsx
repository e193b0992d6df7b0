// The files on the printer's own memory card. They are the printer's: they can be started there, and nothing else.
import { useEffect, useState } from 'preact/hooks'
import { get, Refused, unreachable } from '../api'
import { inOrder, readCardList, type CardFile, type CardList } from '../cardlist'
import { go } from '../route'
import { allowed, live, perform, state } from '../state'
import { bytes, moment } from '../units'
import { underWay } from '../words'
import type { ApiError } from '../wire'
import { BedClear } from './filesheet'
import { Icon, Spinner } from './icon'
import { Sheet } from './sheet'

export function CardFiles({ nowMs }: { nowMs: number }) {
  const [list, setList] = useState<CardList | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  const [busy, setBusy] = useState(false)
  const [open, setOpen] = useState<CardFile | null>(null)
  const s = state.value
  const operator = allowed('operator')
  const load = async () => {
    setBusy(true)
    try {
      setList(await get('/v1/card', readCardList))
      setError(null)
    } catch (reason) {
      setError(reason instanceof Refused ? reason.error : unreachable().error)
    }
    setBusy(false)
  }
  useEffect(() => {
    if (operator) void load()
  }, [operator, s?.card?.rev, s?.card?.present])

  if (!operator) return <section class="card center"><Icon name="info" size={32} /><p>You may look, but not read the printer's card.</p></section>
  const printing = s !== null && underWay(s)
  return (
    <section aria-label="Files on the printer's card">
      {error && <section class="card" role="alert"><p><strong>{error.message}</strong> {error.next}</p></section>}
      {!list && !error && <p class="center muted"><Spinner /></p>}
      {list && !error && list.files.length === 0 && <Empty list={list} printing={printing} />}
      <ul class="file-list">
        {inOrder(list?.files ?? []).map((file) => (
          <li key={file.path}>
            <button type="button" class="file-row" aria-haspopup="dialog" onClick={() => setOpen(file)}>
              <span class="thumb" style={{ width: '56px', height: '56px' }}><Icon name="part" size={28} /></span>
              <span class="file-words">
                <strong>{file.name}</strong>
                <small class="num">{facts(file, nowMs)}</small>
              </span>
              <Icon name="next" size={20} />
            </button>
          </li>
        ))}
      </ul>
      <p class="file-foot muted small num">
        <span id="card-read">{busy ? 'The printer lists its card…' : list && list.listed_ms > 0 ? `Read ${moment(list.listed_ms, nowMs)}${printing ? ', not again while it prints' : ''}` : ''}</span>
        <button type="button" class="btn small quiet" disabled={busy || printing || !live.value} aria-describedby="card-read" onClick={() => void load()}>{busy && <Spinner />} Read again</button>
      </p>
      {open && <CardSheet key={open.path} file={open} nowMs={nowMs} onClose={() => setOpen(null)} />}
    </section>
  )
}

function facts(file: CardFile, nowMs: number): string {
  return [file.bytes >= 0 && bytes(file.bytes), file.modified_ms > 0 && moment(file.modified_ms, nowMs), file.path !== file.name && file.path].filter(Boolean).join(' · ')
}

function Empty({ list, printing }: { list: CardList; printing: boolean }) {
  return (
    <section class="card center">
      <Icon name="files" size={32} />
      {!list.present ? <><p>No card is in the printer.</p><p class="muted">Put one in; some printers see it only when it is read again.</p></>
        : printing ? <p>The card can be read when the print has ended.</p>
          : <p>There is no G-code on the printer's card.</p>}
    </section>
  )
}

type Step = 'details' | 'bed' | 'starting' | 'refused'

function CardSheet({ file, nowMs, onClose }: { file: CardFile; nowMs: number; onClose: () => void }) {
  const [step, setStep] = useState<Step>('details')
  const [error, setError] = useState<ApiError | null>(null)
  const s = state.value
  const start = async () => {
    setStep('starting')
    const answer = await perform('job', { do: 'start_card', file: file.path }, true)
    if (!answer.error) {
      go('print')
      return
    }
    setError(answer.error)
    setStep('refused')
  }
  const why = !live.value ? 'No connection to layerd.' : !file.fits ? 'Its name has characters that cannot be sent safely. Rename it on the card.' : !s || s.state === 'idle' ? ''
    : underWay(s) ? 'Another print is under way.' : 'The printer is not ready. See the Print screen.'
  if (step === 'bed' || step === 'starting') return <BedClear name={file.name} starting={step === 'starting'} onYes={() => void start()} onBack={() => setStep('details')} />
  if (step === 'refused') {
    return (
      <Sheet key="no" title="It was not started" role="alertdialog" firm onClose={() => setStep('details')}>
        <p><strong>{error?.message}</strong></p>
        {error?.next && <p>{error.next}</p>}
        <div class="sheet-actions"><button type="button" class="btn" onClick={() => setStep('details')}>Back</button></div>
      </Sheet>
    )
  }
  return (
    <Sheet title={file.name} onClose={onClose}>
      <p class="muted small num wrap">{facts(file, nowMs)}</p>
      <p class="muted">The printer reads it from its own card. layerd cannot look into it first, and knows neither layers nor the time it takes.</p>
      <div class="sheet-actions">
        <button type="button" class="btn primary" disabled={why !== ''} aria-describedby="why-card" onClick={() => setStep('bed')}><Icon name="print" /> Print</button>
        {why && <p id="why-card" class="why"><Icon name="info" size={18} />{why}</p>}
      </div>
    </Sheet>
  )
}
