// What the watch for layer shifts keeps for those who want to give it away: whether it does, what there is, and how it is taken away or deleted.
import { useEffect, useState } from 'preact/hooks'
import type { Guard } from '../guard'
import { archiveURL, followRecordings, recordings, removeRecording, tightText, type Recording } from '../recordings'
import { allowed, asking, complain, link, live } from '../state'
import { bytes, moment } from '../units'
import { set, wanted } from './guardchoice'
import { Icon, Spinner } from './icon'
import { Sheet } from './sheet'

export function RecordingsCard({ g, disabled }: { g: Guard; disabled: boolean }) {
  const now = wanted(g)
  return (
    <section class="card" aria-label="Recordings">
      <h2>Recordings</h2>
      <label class="check"><input type="checkbox" checked={now.record} disabled={disabled || asking('guard') !== null || !live.value} onChange={(event) => set(g, { record: event.currentTarget.checked })} /><span>Record what was looked at</span></label>
      <p class="muted small">The pictures that are looked at after each layer stay on this machine, with what was found on them: at most {now.record_mb} MB, the oldest go first. They help to make this better, if you choose to give them away. Nothing is sent anywhere.</p>
      {g.unkept ? <p class="why" role="status"><Icon name="warn" size={18} /><span class="wrap">This print is not recorded: {g.unkept}</span></p>
        : g.recording && <p class="why" role="status"><Icon name="film" size={18} />This print is being recorded.</p>}
      {allowed('owner') && <Kept g={g} />}
    </section>
  )
}

function Kept({ g }: { g: Guard }) {
  useEffect(followRecordings, [])
  const [open, setOpen] = useState('')
  const all = recordings.value
  if (!all) return <p class="center muted"><Spinner /></p>
  const opened = all.recordings.find((r) => r.job === open)
  const tight = tightText(all)
  return (
    <>
      {tight && !g.unkept && g.settings.record && <p class="why" role="status"><Icon name="warn" size={18} />{tight}</p>}
      {all.recordings.length > 0 && (
        <>
          <ul class="kept-list" aria-label="Recorded prints">
            {all.recordings.map((r) => (
              <li key={r.job}>
                <button type="button" class="kept-row" aria-haspopup="dialog" onClick={() => setOpen(r.job)}>
                  <span><strong class="wrap">{nameOf(r)}</strong><small class="muted num">{factsOf(r)}</small></span><Icon name="next" size={20} />
                </button>
              </li>
            ))}
          </ul>
          <p class="muted small num">{bytes(all.bytes)} of {bytes(all.limit_bytes)} are used{all.free_bytes >= 0 && `; ${bytes(all.free_bytes)} are free on the disk`}.</p>
        </>
      )}
      {opened && <One r={opened} under={g.job === opened.job && g.recording} onClose={() => setOpen('')} />}
    </>
  )
}

const nameOf = ({ file, job }: Recording) => file.slice(file.lastIndexOf('/') + 1) || `Print ${job}`
const factsOf = ({ at_ms, looks, bytes: n }: Recording) => [moment(at_ms, link.clock.now()), looks === 1 ? '1 look' : `${looks} looks`, bytes(n)].join(' · ')

function One({ r, under, onClose }: { r: Recording; under: boolean; onClose: () => void }) {
  const [deleting, setDeleting] = useState(false)
  const [busy, setBusy] = useState(false)
  const remove = async () => {
    setBusy(true)
    try {
      await removeRecording(r.job)
      onClose()
    } catch (error) {
      complain(error)
    }
    setBusy(false)
  }
  if (deleting) {
    return (
      <Sheet key="delete" title="Delete this recording?" role="alertdialog" firm onClose={() => setDeleting(false)}>
        <p>The pictures of <strong class="wrap">{nameOf(r)}</strong> that the watch looked at are gone for good. The history keeps its alarms, with their two pictures.</p>
        <div class="sheet-actions">
          <button type="button" class="btn danger" disabled={busy || !live.value} onClick={() => void remove()}>{busy ? <Spinner /> : <Icon name="trash" />} Delete</button>
          <button type="button" class="btn" onClick={() => setDeleting(false)}>Back</button>
        </div>
      </Sheet>
    )
  }
  return (
    <Sheet title={nameOf(r)} onClose={onClose}>
      <p class="muted num">{factsOf(r)}</p>
      <p>The archive has two or three pictures of each look, and what was seen in them. <strong>They show your room:</strong> look at them before you give them away.</p>
      {under && <p class="why"><Icon name="film" size={18} />This print is still being recorded.</p>}
      <div class="file-tools">
        <a class="tool" href={archiveURL(r.job)} download><Icon name="download" /><span>Download</span></a>
        <button type="button" class="tool bad" disabled={!live.value || under} onClick={() => setDeleting(true)}><Icon name="trash" /><span>Delete</span></button>
      </div>
    </Sheet>
  )
}
