// The print under way: its name and picture, how far it is, and when it will be done.
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { thumbnailURL } from '../api'
import { duration, moment, percent, trim } from '../units'
import { openViewer } from '../viewer/open'
import { leftByText } from '../words'
import type { Job } from '../wire'
import { Icon, Spinner } from './icon'
import { lazy } from './lazy'

const FileMarks = lazy(() => import('./ahead').then((m) => m.FileMarks), true)
const LayerSheet = lazy(() => import('./layertimes').then((m) => m.LayerSheet))

// Files without a picture are asked for one only once.
const missing = new Set<string>()

/** A file's picture from the slicer; a plain icon where it has none. */
export function Thumbnail({ path, version, size, has = true }: { path: string; version: string; size: number; has?: boolean }) {
  const [, setFailed] = useState('')
  const url = thumbnailURL(path, version)
  if (!has || missing.has(url)) return <span class="thumb" style={{ width: `${size}px`, height: `${size}px` }}><Icon name="part" size={Math.round(size / 2)} /></span>
  return <img class="thumb" src={url} alt="" width={size} height={size} loading="lazy" decoding="async" onError={() => {
    missing.add(url)
    setFailed(url)
  }} />
}

interface JobCardProps {
  job: Job
  /** The job is moving forward, so that a time of day makes sense. */
  running: boolean
  preparing: boolean // heating or in the preamble: nothing was printed yet
  nowMs: number // layerd's clock
  children?: ComponentChildren
}

export function JobCard({ job, running, preparing, nowMs, children }: JobCardProps) {
  const known = job.left_s >= 0
  const source = leftByText(job.left_by)
  const [asked, setAsked] = useState<{ part: number | null } | null>(null)
  return (
    <section class="card job" aria-label="Print">
      <div class="job-head">
        <Thumbnail path={job.file} version={job.id} size={52} />
        <div>
          <h2 class="job-name" data-testid="job-name">{job.name}</h2>
          <p class="muted num">
            <span data-testid="layer">{job.layer > 0 ? `Layer ${job.layer}${job.layers > 0 ? ` of ${job.layers}` : ''}` : 'Before the first layer'}</span>
            {job.z_mm > 0 && ` · ${trim(job.z_mm, 2)} mm`}
          </p>
        </div>
        <button type="button" class="icon-button" aria-label="Show the layers" onClick={() => void openViewer(job.file, job.name, true)}><Icon name="layers" /></button>
      </div>
      <div class="job-figures num">
        <p class="job-percent"><span data-testid="percent">{percent(job.percent)}</span><small> %</small></p>
        <p class="job-left">
          <span>{known ? <><strong data-testid="time-left">{duration(job.left_s)}</strong> left</> : preparing ? 'Not printing yet' : 'Time left unknown'}</span>
          {known && running && <span class="muted">done {moment(nowMs + job.left_s * 1000, nowMs)}</span>}
          {known && !running && <span class="muted">once it goes on</span>}
        </p>
      </div>
      <div class="job-bar" onClick={(event) => {
        const box = event.currentTarget.getBoundingClientRect()
        if (job.layers > 0) setAsked({ part: (event.clientX - box.left) / box.width })
      }}>
        <progress class={running ? '' : 'still'} max={100} value={job.percent} aria-label="Progress" aria-valuetext={`${percent(job.percent)} percent`} />
        {job.stops.map((stop) => <i key={stop.layer} class={stop.passed ? 'passed' : stop.change ? 'change' : ''} style={{ left: `${stop.percent}%` }} />)}
        <FileMarks job={job} />
      </div>
      <p class="job-foot muted num">
        <span>{duration(job.elapsed_s)} printed</span>
        {known && source && <span>{source}</span>}
      </p>
      <div class="job-more">
        {job.layers > 0 && <button type="button" class="btn small" aria-haspopup="dialog" onClick={() => setAsked({ part: null })}><Icon name="clock" size={18} /> Layer times</button>}
        {children}
      </div>
      {asked && <LayerSheet part={asked.part} onClose={() => setAsked(null)} />}
    </section>
  )
}

/** A print that was asked for and is not in the state yet. */
export function StartingCard() {
  return <section class="card center"><Spinner /><p>Sending the print to the printer…</p></section>
}
