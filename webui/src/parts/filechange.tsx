// Sheets that change the list of files: rename or move, delete, a new folder.
import { useId, useState } from 'preact/hooks'
import { folderOf, join } from '../listing'
import { perform } from '../state'
import type { ApiError, Doing, FileInfo } from '../wire'
import { Spinner } from './icon'
import { Sheet } from './sheet'

/** ask runs one command and keeps its error for the sheet. */
function useAsk(key: string): { busy: boolean; error: ApiError | null; ask: (doing: Doing, done: () => void) => void } {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<ApiError | null>(null)
  const ask = (doing: Doing, done: () => void) => {
    setBusy(true)
    void perform(key, doing, true).then((answer) => {
      setBusy(false)
      setError(answer.error)
      if (!answer.error) done()
    })
  }
  return { busy, error, ask }
}

function Problem({ error }: { error: ApiError | null }) {
  return <p class="problem" role="alert">{error && <><strong>{error.message}</strong> {error.next}</>}</p>
}

export function Rename({ file, files, onBack, onDone }: { file: FileInfo; files: readonly FileInfo[]; onBack: () => void; onDone: (path: string) => void }) {
  const id = useId()
  const [name, setName] = useState(file.name)
  const [folder, setFolder] = useState(folderOf(file.path))
  const { busy, error, ask } = useAsk('files')
  const folders = files.filter((f) => f.folder)
  const to = join(folder, name.trim())
  return (
    <Sheet key="rename" title="Rename or move" onClose={onBack}>
      <form onSubmit={(event) => {
        event.preventDefault()
        ask({ do: 'rename_file', file: file.path, to }, () => onDone(to))
      }}>
        <div class="field">
          <label for={id}>Name</label>
          <input id={id} type="text" autocomplete="off" autocapitalize="off" spellcheck={false} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </div>
        {folders.length > 0 && (
          <div class="field">
            <label for={`${id}f`}>Folder</label>
            <select id={`${id}f`} value={folder} onChange={(event) => setFolder(event.currentTarget.value)}>
              <option value="">All files</option>
              {folders.map((f) => <option key={f.path} value={f.path}>{f.path}</option>)}
            </select>
          </div>
        )}
        <Problem error={error} />
        <div class="sheet-actions">
          <button type="submit" class="btn primary" disabled={busy || name.trim() === '' || to === file.path}>{busy && <Spinner />} Save</button>
          <button type="button" class="btn" onClick={onBack}>Back</button>
        </div>
      </form>
    </Sheet>
  )
}

export function Delete({ file, onBack, onDone }: { file: FileInfo; onBack: () => void; onDone: () => void }) {
  const { busy, error, ask } = useAsk('files')
  return (
    <Sheet key="delete" title={file.folder ? 'Delete this folder?' : 'Delete this file?'} role="alertdialog" firm onClose={onBack}>
      <p><strong class="wrap">{file.name}</strong> will be gone. {!file.folder && 'The history of its prints stays.'}</p>
      <Problem error={error} />
      <div class="sheet-actions">
        <button type="button" class="btn danger solid" disabled={busy} onClick={() => ask({ do: 'delete_file', file: file.path }, onDone)}>{busy && <Spinner />} Delete</button>
        <button type="button" class="btn" onClick={onBack}>Keep it</button>
      </div>
    </Sheet>
  )
}

export function NewFolder({ folder, onClose }: { folder: string; onClose: () => void }) {
  const id = useId()
  const [name, setName] = useState('')
  const { busy, error, ask } = useAsk('files')
  return (
    <Sheet title="New folder" onClose={onClose}>
      <form onSubmit={(event) => {
        event.preventDefault()
        ask({ do: 'make_folder', file: join(folder, name.trim()) }, onClose)
      }}>
        <div class="field">
          <label for={id}>Name</label>
          <input id={id} type="text" autocomplete="off" value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </div>
        <Problem error={error} />
        <div class="sheet-actions">
          <button type="submit" class="btn primary" disabled={busy || name.trim() === ''}>{busy && <Spinner />} Make folder</button>
        </div>
      </form>
    </Sheet>
  )
}
