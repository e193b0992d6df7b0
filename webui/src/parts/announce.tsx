// Tells screen readers what changed: the state, the link, and notices, which everybody sees at the bottom.
import { asking, dismissNotice, linkStatus, notices, state } from '../state'
import { stateText } from '../words'
import { Icon } from './icon'

export function Announcer() {
  const s = state.value
  const words = linkStatus.value === 'lost' ? 'Link to layerd lost.' : s ? `Printer: ${stateText(s.state, asking('job'))}` : ''
  return <div class="unseen" role="status" aria-live="polite">{words}</div>
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
