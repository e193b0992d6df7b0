// The sheet that puts a file into the queue.
import { useState } from 'preact/hooks'
import { live, notify, perform } from '../state'
import type { ApiError, FileInfo } from '../wire'
import { Copies } from './copies'
import { Icon, Spinner } from './icon'
import { Sheet } from './sheet'

export function QueueAdd({ file, onBack, onDone }: { file: FileInfo; onBack: () => void; onDone: () => void }) {
  const [copies, setCopies] = useState(1)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const add = async () => {
    setBusy(true)
    const answer = await perform('queue', { do: 'queue_add', file: file.path, copies }, true)
    setBusy(false)
    setError(answer.error)
    if (answer.error) return
    notify('good', 'Added to the queue.')
    onDone()
  }
  return (
    <Sheet key="queue" title="Add to the queue" onClose={onBack}>
      <p><strong class="wrap">{file.name}</strong> is printed when those before it are done, each time somebody says that the bed is clear.</p>
      <div class="copies-row"><span>Copies</span><Copies value={copies} disabled={busy} onChange={setCopies} /></div>
      <p class="problem" role="alert">{error && <><strong>{error.message}</strong> {error.next}</>}</p>
      <div class="sheet-actions">
        <button type="button" class="btn primary" disabled={busy || !live.value} onClick={() => void add()}>{busy ? <Spinner /> : <Icon name="plus" />} Add to queue</button>
        <button type="button" class="btn" onClick={onBack}>Back</button>
      </div>
    </Sheet>
  )
}
