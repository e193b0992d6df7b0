// What was done, by whom and from where, the newest first.
import { useEffect, useState } from 'preact/hooks'
import { outcomeWords, deedText } from '../deeds'
import { Icon, Spinner } from '../parts/icon'
import { OwnersOnly, owners } from '../parts/said'
import { auditPage, getAudit, viaText, type AuditEntry } from '../people'
import { complain, link, live } from '../state'
import { moment } from '../units'

export function AuditPage() {
  return owners() ? <Deeds /> : <OwnersOnly />
}

function Deeds() {
  const [entries, setEntries] = useState<AuditEntry[] | null>(null)
  const [more, setMore] = useState(false)
  const [busy, setBusy] = useState(false)
  const up = live.value
  const load = async (before: number) => {
    setBusy(true)
    try {
      const next = await getAudit(before)
      setMore(next.length === auditPage)
      setEntries((had) => (before === 0 ? next : [...(had ?? []), ...next]))
    } catch (error) {
      complain(error)
    }
    setBusy(false)
  }
  useEffect(() => {
    if (up) void load(0)
  }, [up])
  if (!entries) return <p class="center muted"><Spinner /></p>
  return (
    <section class="custom" aria-label="What was done">
      {entries.length === 0 && <p class="card center muted">Nothing was done yet.</p>}
      <ul class="file-list">{entries.map((e) => <li key={e.seq}><Deed entry={e} /></li>)}</ul>
      {more && <button type="button" class="btn wide" disabled={busy || !up} onClick={() => void load(entries.at(-1)?.seq ?? 0)}>{busy && <Spinner />} Older</button>}
    </section>
  )
}

function Deed({ entry: e }: { entry: AuditEntry }) {
  const refused = outcomeWords(e)
  return (
    <article class="history-row">
      <p class="wrap"><strong>{deedText(e.what)}</strong>{e.detail && e.what !== 'end_session' && <>: {e.detail}</>}</p>
      {refused && <p class="outcome-word tone-bad"><Icon name="lock" size={18} />{refused}</p>}
      <p class="muted small num wrap">{[moment(e.at_ms, link.clock.now()), e.name && `${e.name}${e.via ? ` (${viaText(e.via)})` : ''}`, e.from && `from ${e.from}`].filter(Boolean).join(' · ')}</p>
    </article>
  )
}
