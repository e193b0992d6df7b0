// Files on their way, each with its progress and a way to stop it.
import { freePath } from '../listing'
import { routeHash } from '../route'
import { cancelUpload, renameUpload, retryUpload, type Upload } from '../uploads'
import { bytes } from '../units'
import { Icon } from './icon'

export function UploadList({ uploads, known }: { uploads: readonly Upload[]; known: ReadonlySet<string> }) {
  if (uploads.length === 0) return null
  return (
    <ul class="uploads" aria-label="Uploads">
      {uploads.map((upload) => <li key={upload.id} class={`card upload ${upload.status}`}><Row upload={upload} known={known} /></li>)}
    </ul>
  )
}

function Row({ upload, known }: { upload: Upload; known: ReadonlySet<string> }) {
  const { id, name, status, sent, size } = upload
  const share = size > 0 ? Math.min(100, Math.floor((sent / size) * 100)) : 0
  const all = sent >= size && status === 'sending'
  return (
    <>
      <div class="upload-head">
        <p class="upload-name wrap">{name}</p>
        <button type="button" class="icon-button" aria-label={status === 'done' ? `Clear ${name}` : `Cancel upload of ${name}`} onClick={() => cancelUpload(id)}><Icon name="close" /></button>
      </div>
      {(status === 'sending' || status === 'waiting') && (
        <>
          <progress max={100} value={share} aria-label={`Upload of ${name}`} aria-valuetext={`${share} percent`} />
          <p class="muted small num">{status === 'waiting' ? 'Waiting' : all ? 'Checking the file…' : `${bytes(sent)} of ${bytes(size)} · ${share} %`}</p>
        </>
      )}
      {status === 'exists' && (
        <>
          <p role="alert">There is already a file of that name.</p>
          <div class="card-actions">
            <button type="button" class="btn small" onClick={() => retryUpload(id, true)}>Replace it</button>
            <button type="button" class="btn small" onClick={() => renameUpload(id, freePath(upload.path, known))}>Keep both</button>
          </div>
        </>
      )}
      {status === 'failed' && (
        <>
          <p role="alert" class="problem"><strong>{upload.error?.message}</strong> {upload.error?.next}</p>
          <div class="card-actions"><button type="button" class="btn small" onClick={() => retryUpload(id, false)}>Try again</button></div>
        </>
      )}
      {status === 'done' && (
        <div class="upload-done">
          <p class="good"><Icon name="check" size={20} /> Uploaded, {bytes(size)}</p>
          <a class="btn small primary" href={routeHash('files', upload.path)} onClick={() => cancelUpload(id)}>Open</a>
        </div>
      )}
    </>
  )
}
