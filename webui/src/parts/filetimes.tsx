// How long a file prints, by whom, and where it waits for a person meanwhile: under the figures of the file sheet. Fetched with it.
import { useEffect, useState } from 'preact/hooks'
import { getTimes, limitsText, pauseWhere, pauseWords, type FileTimes } from '../times'
import { duration } from '../units'

export function FileTime({ path, version }: { path: string; version: string }) {
  const [times, setTimes] = useState<FileTimes | null>(null)
  useEffect(() => {
    let gone = false
    setTimes(null)
    getTimes(path).then((got) => !gone && setTimes(got), () => {}) // the sheet says what it knows without
    return () => { gone = true }
  }, [path, version])
  if (!times || times.time_s <= 0) return null
  return (
    <dl class="list num" aria-label="Time">
      <div><dt>Printing, by layerd</dt><dd>{duration(times.time_s)}<small class="muted small">{limitsText(times)}</small></dd></div>
      {times.heat_s >= 1 && <div><dt>Warming up and homing</dt><dd>about {duration(times.heat_s)} more</dd></div>}
      <div><dt>Printing, by the slicer</dt><dd>{times.slicer_time_s > 0 ? duration(times.slicer_time_s) : 'it says nothing'}</dd></div>
      {times.pauses.map((pause, i) => <div key={i}><dt>{i === 0 ? 'Pauses' : <span class="unseen">Pauses</span>}</dt><dd class="wrap">{pauseWhere(pause)}, after {duration(pause.at_s)}<small class="muted small">{pauseWords(pause)}</small></dd></div>)}
    </dl>
  )
}
