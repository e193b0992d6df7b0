// Tells screen readers what changed: the state, the link, and notices, which everybody sees at the bottom.
import { asking, dismissNotice, linkStatus, notices, state } from '../state'
import { pauseText, stateText } from '../words'
import type { State } from '../wire'
import { Icon } from './icon'

export function Announcer() {
  const s = state.value
  const words = linkStatus.value === 'lost' ? 'Link to layerd lost.' : s ? said(s) : ''
  return <div class="unseen" role="status" aria-live="polite">{words}</div>
}

function said(s: State): string {
  const why = s.lost ? [s.lost.asking ? 'The port is back: asking the printer how far it came.' : s.fault?.next ?? '']
    : s.pause && !s.fault ? [pauseText(s.pause), s.pause.message] : [] // the card of a fault announces itself
  const asks = s.prompt ? [`It asks: ${s.prompt.text}`] : []
  return [`Printer: ${stateText(s, asking('job'))}`, ...why, ...asks].filter((part) => part !== '').join('. ')
}

export function Notices() {
  return (
    <div class="notices" role="log" aria-live="assertive" aria-label="Messages">
      {notices.value.map((notice) => (
        <div key={notice.id} class={`notice ${notice.kind}`}>
          <Icon name={notice.kind === 'error' ? 'warn' : 'check'} />
          <p><strong>{notice.text}</strong>{notice.next && <> {notice.next}</>}</p>
          <button type="button" class="icon-button" aria-label="Close message" onClick={() => dismissNotice(notice.id)}><Icon name="close" size={20} /></button>
        </div>
      ))}
    </div>
  )
}
