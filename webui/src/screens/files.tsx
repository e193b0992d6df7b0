// The files that can be printed, and the prints that were. A fragment #/files/PATH is a folder, or a file whose sheet is open.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { countIn, folderOf, listing, type Order } from '../listing'
import { Delete, NewFolder } from '../parts/filechange'
import { FileSheet } from '../parts/filesheet'
import { Icon, Spinner } from '../parts/icon'
import { Thumbnail } from '../parts/job'
import { lazy } from '../parts/lazy'
import { May } from '../parts/may'
import { UploadList } from '../parts/uploadlist'
import { goInstead, route, routeHash } from '../route'
import { allowed, files, filesError, filesView, followFiles, link, live, loadFiles, state } from '../state'
import { addUploads, uploads } from '../uploads'
import { bytes, duration, moment } from '../units'
import type { FileInfo } from '../wire'

const accepted = '.gcode,.gco,.g,.gc,.nc,.bgcode,.bgc,.ufp,.3mf,.zip,.gz'

const CardFiles = lazy(() => import('../parts/cardfiles').then((m) => m.CardFiles))
const Queue = lazy(() => import('../parts/queue').then((m) => m.Queue))
const Films = lazy(() => import('../parts/films').then((m) => m.Films))
const History = lazy(() => import('../parts/history').then((m) => m.History))

// What the segments on top show. Whatever is not the list of files is fetched when it is first shown.
const views: readonly { name: string; show: (toFiles: () => void) => JSX.Element }[] = [
  { name: 'Files', show: () => <Files /> },
  { name: 'Queue', show: () => <Queue /> },
  { name: 'History', show: (toFiles) => <History nowMs={link.clock.now()} toFiles={toFiles} /> },
  { name: 'Films', show: () => <Films /> },
  { name: 'Card', show: () => <CardFiles nowMs={link.clock.now()} /> }, // only where the printer has one
]

export function FilesScreen() {
  const view = views.find(({ name }) => name === filesView.value) ?? views[0]
  useEffect(followFiles, [])
  const offered = views.filter(({ name }) => name !== 'Card' || state.value?.card)
  return (
    <div class="files">
      <div class="segments" role="group" aria-label="Show">
        {offered.map(({ name }) => <button key={name} type="button" aria-pressed={view?.name === name} onClick={() => (filesView.value = name)}>{name}</button>)}
      </div>
      {view?.show(() => (filesView.value = 'Files'))}
    </div>
  )
}

function Files() {
  const [search, setSearch] = useState('')
  const [order, setOrder] = useState<Order>('newest')
  const [making, setMaking] = useState(false)
  const [deleting, setDeleting] = useState(false)
  const [over, setOver] = useState(false)
  const picker = useRef<HTMLInputElement>(null)

  const all = files.value
  const path = route.value.rest
  const opened = all?.find((f) => f.path === path && !f.folder)
  const folder = opened ? folderOf(path) : path
  const here = all?.find((f) => f.path === folder && f.folder)
  const shown = all ? listing(all, folder, search, order) : []
  const known = new Set(all?.map((f) => f.path))
  const may = allowed('operator') && live.value
  const take = (list: FileList | null | undefined) => {
    if (list && may) addUploads(list, folder, known)
  }

  return (
    <section class={`drop${over ? ' over' : ''}`} aria-label="Files"
      onDragOver={(event) => {
        event.preventDefault()
        if (may) setOver(true)
      }}
      onDragLeave={(event) => {
        if (event.currentTarget === event.target) setOver(false)
      }}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        take(event.dataTransfer?.files)
      }}>
      <div class="file-bar">
        <May>
        <button type="button" class="btn primary" disabled={!may} onClick={() => picker.current?.click()}><Icon name="upload" /> Upload</button>
        <input ref={picker} class="unseen" type="file" multiple accept={accepted} tabIndex={-1} aria-label="G-code files to upload"
          onChange={(event) => {
            take(event.currentTarget.files)
            event.currentTarget.value = ''
          }} />
        </May>
        <div class="search">
          <Icon name="search" size={20} />
          <input type="search" placeholder="Search" aria-label="Search files" value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
        </div>
        <select aria-label="Sort by" value={order} onChange={(event) => setOrder(event.currentTarget.value as Order)}>
          <option value="newest">Newest</option>
          <option value="name">Name</option>
          <option value="size">Size</option>
        </select>
      </div>
      <UploadList uploads={uploads.value} known={known} />
      {folder && (
        <div class="crumbs">
          <a class="icon-button" href={routeHash('files', folderOf(folder))} aria-label="Up one folder"><Icon name="back" /></a>
          <h2 class="wrap">{folder}</h2>
          {may && here && countIn(all ?? [], folder) === 0 && <button type="button" class="icon-button" aria-label="Delete this folder" onClick={() => setDeleting(true)}><Icon name="trash" /></button>}
        </div>
      )}
      {!all && !filesError.value && <p class="center muted"><Spinner /></p>}
      {!all && filesError.value && <section class="card" role="alert"><p><strong>{filesError.value.message}</strong> {filesError.value.next}</p><button type="button" class="btn" onClick={() => void loadFiles()}>Try again</button></section>}
      {all && shown.length === 0 && <Empty search={search} folder={folder} />}
      <ul class="file-list">
        {shown.map((f) => <li key={f.path}><Row file={f} inside={f.folder ? countIn(all ?? [], f.path) : 0} showFolder={search.trim() !== ''} /></li>)}
      </ul>
      {all && (
        <p class="file-foot muted small num">
          <span>{bytes(state.value?.free_bytes ?? -1)} free</span>
          {may && <button type="button" class="btn small quiet" onClick={() => setMaking(true)}><Icon name="newfolder" size={20} /> New folder</button>}
        </p>
      )}
      {opened && <FileSheet key={opened.path} file={opened} files={all ?? []} nowMs={link.clock.now()} onClose={() => goInstead('files', folder)} />}
      {making && <NewFolder folder={folder} onClose={() => setMaking(false)} />}
      {deleting && here && <Delete file={here} onBack={() => setDeleting(false)} onDone={() => {
        setDeleting(false)
        goInstead('files', folderOf(folder))
      }} />}
    </section>
  )
}

function Row({ file, inside, showFolder }: { file: FileInfo; inside: number; showFolder: boolean }) {
  const now = link.clock.now()
  if (file.folder) {
    return (
      <a class="file-row" href={routeHash('files', file.path)}>
        <span class="thumb folder"><Icon name="folder" size={28} /></span>
        <span class="file-words"><strong>{file.name}</strong><small>{inside === 0 ? 'empty' : inside === 1 ? '1 file' : `${inside} files`}</small></span>
        <Icon name="next" size={20} />
      </a>
    )
  }
  return (
    <a class="file-row" href={routeHash('files', file.path)} aria-haspopup="dialog">
      <Thumbnail path={file.path} version={file.sha256} size={56} has={file.thumbnail} />
      <span class="file-words">
        <strong>{file.name}</strong>
        {showFolder && folderOf(file.path) && <small>in {folderOf(file.path)}</small>}
        <small class="num">{file.estimate_s > 0 && <>{duration(file.estimate_s)} · </>}{bytes(file.bytes)} · {moment(file.modified_ms, now)}</small>
        {file.prints > 0 && <small class="num">printed {file.prints === 1 ? 'once' : `${file.prints} times`}</small>}
      </span>
      <Icon name="next" size={20} />
    </a>
  )
}

function Empty({ search, folder }: { search: string; folder: string }) {
  return (
    <section class="card center">
      <Icon name={search ? 'search' : 'files'} size={32} />
      <p>{search ? 'No file has that in its name.' : folder ? 'This folder is empty.' : 'No files yet.'}</p>
      {!search && !folder && allowed('operator') && <p class="muted">Upload what your slicer exports: .gcode, .bgcode, .gcode.gz or .ufp. On a desktop, drop it anywhere here.</p>}
    </section>
  )
}
