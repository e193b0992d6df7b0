// One file with everything that this layerd knows, fetched by the browser; and what to do with it.
import { useState } from 'preact/hooks'
import { getBackupReady } from '../backup'
import { confirmed } from '../confirm'
import { refusedBy } from '../door'
import { Icon, Spinner } from '../parts/icon'
import { live } from '../state'
import { bytes } from '../units'

export function BackupPage() {
  const [files, setFiles] = useState(false)
  const [films, setFilms] = useState(false)
  const [busy, setBusy] = useState(false)
  const [said, setSaid] = useState('')
  const [problem, setProblem] = useState('')
  const fetchIt = async () => {
    setBusy(true)
    setSaid('')
    setProblem('')
    try {
      const ready = await confirmed(getBackupReady)
      if (!ready) return
      const link = document.createElement('a')
      link.href = `/v1/backup?${new URLSearchParams({ ...(files && { files: '1' }), ...(films && { timelapses: '1' }) })}`
      link.download = ready.name
      link.click()
      const more = (files ? ready.files_bytes : 0) + (films ? ready.timelapse_bytes : 0)
      setSaid(`Your browser is fetching ${ready.name}${more > 0 ? `, up to ${bytes(more)} and some more` : ''}.`)
    } catch (error) {
      const { message, next } = refusedBy(error).error
      setProblem(`${message} ${next}`.trim())
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <section class="card" aria-label="Back up">
        <h2>Back up</h2>
        <p>One file with settings, people and keys, profiles, spools, the queue, and the history with its pictures. It can be made while a print runs.</p>
        <label class="check"><input type="checkbox" checked={files} onChange={(event) => setFiles(event.currentTarget.checked)} /> Uploaded files, too</label>
        <label class="check"><input type="checkbox" checked={films} onChange={(event) => setFilms(event.currentTarget.checked)} /> Timelapses, too</label>
        <p class="problem" role="alert">{problem}</p>
        {said && <p class="why" role="status"><Icon name="check" size={20} /><span class="wrap">{said}</span></p>}
        <div class="card-actions">
          <button type="button" class="btn primary" disabled={!live.value || busy} onClick={() => void fetchIt()}>{busy ? <Spinner /> : <Icon name="download" />} Download a backup</button>
        </div>
        <p class="muted small">Keep it where only you get at it: passwords are in it as hashes. The machine's own key on a tailnet, and where browsers are logged in, are not.</p>
      </section>
      <section class="card" aria-label="Restore">
        <h2>Restore</h2>
        <p>On a new card, install layerd, open its set-up link, and choose <em>I have a backup</em>. Or, on its computer, before anybody becomes its owner:</p>
        <pre>sudo systemctl stop layerd{'\n'}sudo layerd restore FILE --data /var/lib/private/layerd{'\n'}sudo systemctl start layerd</pre>
        <p class="muted">Passwords and keys are then those of the backup.</p>
      </section>
    </>
  )
}
