// The timelapses, the newest first, and what can be done with one.
import { useEffect, useState } from 'preact/hooks'
import { downloadURL, films, followFilms, posterURL, removeFilm, renderFilm, videoURL, type Film } from '../films'
import { routeHash } from '../route'
import { allowed, complain, link, live, state } from '../state'
import { bytes, moment } from '../units'
import { outcomeText, outcomeTone } from '../words'
import { FramePlayer } from './frameplayer'
import { Icon, Spinner } from './icon'
import { May } from './may'
import { Sheet } from './sheet'

export function Films() {
  useEffect(followFilms, [])
  const [open, setOpen] = useState('')
  const all = films.value
  if (!all) return <p class="center muted"><Spinner /></p>
  const opened = all.items.find((f) => f.id === open)
  const percent = Math.min(100, Math.round((all.bytes / all.limit_bytes) * 100))
  return (
    <section class="films" aria-label="Timelapses">
      {all.items.length === 0 && (
        <section class="card center">
          <Icon name="film" size={32} />
          <p>There is no timelapse yet.</p>
          <p class="muted">{all.settings.mode === 'off' ? 'Prints are not recorded, unless you say so when you start one.' : 'The next print is recorded.'}</p>
        </section>
      )}
      <ul class="file-list">{all.items.map((f) => <li key={f.id}><Row film={f} onOpen={() => setOpen(f.id)} /></li>)}</ul>
      <div class="films-foot">
        {all.items.length > 0 && <p class="muted small num">{bytes(all.bytes)} of {bytes(all.limit_bytes)} are used{percent >= 1 && ` (${percent} %)`}. When it is full, the oldest go.</p>}
        <May role="owner"><a class="btn small quiet" href={routeHash('settings', 'timelapse')}><Icon name="settings" size={20} /> Timelapse settings</a></May>
      </div>
      {opened && <FilmSheet film={opened} onClose={() => setOpen('')} />}
    </section>
  )
}

function Row({ film: f, onOpen }: { film: Film; onOpen: () => void }) {
  return (
    <button type="button" class="file-row film-row" aria-haspopup="dialog" onClick={onOpen}>
      <Poster film={f} />
      <span class="file-words">
        <strong>{f.name}</strong>
        <small class={`outcome-word tone-${outcomeTone(f.outcome)}`}><span class="dot" aria-hidden="true" />{outcomeText(f.outcome)}<span class="num">· {moment(f.ended_ms || f.started_ms, link.clock.now())}</span></small>
        <small class="num">{[f.frames > 0 && `${f.frames} frames`, bytes(f.bytes), videoText(f)].filter(Boolean).join(' · ')}</small>
      </span>
      <Icon name="next" size={20} />
    </button>
  )
}

function Poster({ film: f }: { film: Film }) {
  const [failed, setFailed] = useState(false)
  if (failed) return <span class="poster"><Icon name="film" /></span>
  return <img class="poster" src={posterURL(f)} alt="" loading="lazy" decoding="async" onError={() => setFailed(true)} />
}

/** What there is to say of its video; nothing when it is there. */
export function videoText({ video: v }: Film): string {
  switch (v.state) {
    case 'recording': return 'recording'
    case 'waiting': return 'video waits'
    case 'rendering': return `making the video, ${Math.round(v.percent)} %`
    case 'failed': return 'no video'
    default: return ''
  }
}

function FilmSheet({ film: f, onClose }: { film: Film; onClose: () => void }) {
  const [deleting, setDeleting] = useState(false)
  const [busy, setBusy] = useState(false)
  const may = allowed('operator') && live.value
  const run = async (what: (id: string) => Promise<string>, done = () => {}) => {
    setBusy(true)
    try {
      await what(f.id)
      done()
    } catch (error) {
      complain(error)
    }
    setBusy(false)
  }
  if (deleting) {
    return (
      <Sheet key="delete" title="Delete this timelapse?" role="alertdialog" firm onClose={() => setDeleting(false)}>
        <p>The film of <strong class="wrap">{f.name}</strong> and its frames are gone for good. The print stays in the history.</p>
        <div class="sheet-actions">
          <button type="button" class="btn danger" disabled={!may || busy} onClick={() => void run(removeFilm, onClose)}>{busy ? <Spinner /> : <Icon name="trash" />} Delete</button>
          <button type="button" class="btn" onClick={() => setDeleting(false)}>Back</button>
        </div>
      </Sheet>
    )
  }
  const v = f.video
  const again = f.frames > 0 && (v.state === 'failed' || v.state === 'ready')
  return (
    <Sheet title={f.name} onClose={onClose}>
      <Screen key={`${f.id} ${v.state === 'ready'}`} film={f} />
      {v.state === 'failed' && <p class="why bar"><Icon name="warn" size={20} />The video could not be made. {v.reason} The frames are kept.</p>}
      {v.state === 'waiting' && <p class="why"><Icon name="clock" size={18} />The video is made when its turn comes{state.value?.job ? ', after the print' : ''}.</p>}
      {v.state === 'rendering' && <><progress max={100} value={v.percent} aria-label="Making the video" /><p class="muted small num">Making the video, {Math.round(v.percent)} %</p></>}
      {v.state === 'frames' && <p class="why"><Icon name="info" size={18} />ffmpeg is not installed, so there is no video for phones. The download is an AVI file.</p>}
      <p class="muted small num">
        {[f.mode === 'layer' ? 'one frame a layer' : 'by time', f.frames > 0 && `${f.frames} frames`, f.missed > 0 && `${f.missed} missed`, bytes(f.bytes)].filter(Boolean).join(' · ')}
      </p>
      {f.ended_ms > 0 && (
        <div class="file-tools">
          <a class="tool" href={downloadURL(f.id)} download><Icon name="download" /><span>Download</span></a>
          {again && allowed('operator') && <button type="button" class="tool" disabled={!may || busy} onClick={() => void run(renderFilm)}><Icon name="film" /><span>{v.state === 'failed' ? 'Try again' : 'Make anew'}</span></button>}
          <May><button type="button" class="tool bad" disabled={!may} onClick={() => setDeleting(true)}><Icon name="trash" /><span>Delete</span></button></May>
        </div>
      )}
    </Sheet>
  )
}

/** The video where there is one and this browser can play it; else the frames. */
function Screen({ film: f }: { film: Film }) {
  const [unplayable, setUnplayable] = useState(false)
  if (f.video.state === 'ready' && !unplayable) {
    return <video class="player-picture" controls playsInline loop preload="metadata" poster={posterURL(f)} src={videoURL(f.id)} aria-label="Timelapse" onError={() => setUnplayable(true)} />
  }
  if (f.frames === 0) return <p class="why bar"><Icon name="warn" size={20} />This browser cannot play the video. Download it.</p>
  return <FramePlayer id={f.id} last={f.last_n} step={f.step} fps={f.fps} growing={f.ended_ms === 0} />
}
