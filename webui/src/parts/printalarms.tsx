// The shifts that were found in a print of the history, each with its evidence.
import { useEffect, useState } from 'preact/hooks'
import { getAlarms, spoiledText, type Alarm } from '../guard'
import { complain } from '../state'
import { moment } from '../units'
import { alarmName, WhoSaidWhat } from './alarm'
import { Blink } from './blink'
import { Icon, Spinner } from './icon'

const labels: Record<string, string> = { false: 'It was called a false alarm.', true: 'X and Y were re-homed, and the print went on.' }

export function PrintAlarms({ id, nowMs }: { id: string; nowMs: number }) {
  const [alarms, setAlarms] = useState<readonly Alarm[] | null>(null)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    getAlarms(id).then(setAlarms, (error: unknown) => {
      setFailed(true)
      complain(error)
    })
  }, [id])
  if (failed) return null
  if (!alarms) return <p class="center muted"><Spinner /></p>
  return (
    <>
      {alarms.map((a) => (
        <section key={a.id} class="past-alarm" aria-label={alarmName(a)} data-testid="past-alarm">
          <h3><Icon name="warn" size={20} /> {a.sentence}</h3>
          <p class="muted small num">{moment(a.at_ms, nowMs)}, layer {a.layer}; {spoiledText(a.spoiled)}</p>
          {labels[a.label] && <p>{labels[a.label]}</p>}
          {a.pictures && a.id > 0 && <Blink id={a.id} crop={a.crop} arrows={a.arrows} layers={[a.before_layer, a.after_layer]} past />}
          <WhoSaidWhat alarm={a} />
        </section>
      ))}
    </>
  )
}
