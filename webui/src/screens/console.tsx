// Everything that layerd and the printer say to each other, and a line to say something more. At most 1000 lines are kept.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { filtered, Recall } from '../chatter'
import { Icon } from '../parts/icon'
import { allowed, asking, lines, link, live, perform, state } from '../state'
import { clockSeconds } from '../units'
import { isConnected } from '../words'
import type { Entry } from '../wire'

const recall = new Recall()

export function ConsoleScreen() {
  return allowed('operator') ? <Conversation /> : <p class="why bar"><Icon name="lock" size={20} />The conversation with the printer is for operators and owners.</p>
}

function Conversation() {
  const [hide, setHide] = useState(true)
  const [search, setSearch] = useState('')
  const [following, setFollowing] = useState(true)
  const list = useRef<HTMLDivElement>(null)

  useEffect(() => {
    link.watchConsole(true, lines.value.at(-1)?.seq ?? 0)
    return () => link.watchConsole(false, 0)
  }, [])

  const all = lines.value
  const shown = useMemo(() => filtered(all, hide, search), [all, hide, search])
  useLayoutEffect(() => {
    if (following && list.current) list.current.scrollTop = list.current.scrollHeight
  }, [shown, following])

  return (
    <div class="console">
      <div class="console-bar">
        <div class="search">
          <Icon name="search" size={20} />
          <input type="search" placeholder="Filter" aria-label="Filter lines" value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
        </div>
        <label class="check"><input type="checkbox" checked={hide} onChange={(event) => setHide(event.currentTarget.checked)} /><span>Hide temperatures and ok</span></label>
      </div>
      <div class="console-box">
        <div ref={list} class="console-lines" role="log" aria-live="off" aria-label="Conversation" tabIndex={0}
          onScroll={(event) => {
            const el = event.currentTarget
            setFollowing(el.scrollHeight - el.scrollTop - el.clientHeight < 24)
          }}>
          {shown.length === 0 && <p class="center muted">{all.length === 0 ? 'Nothing was said yet.' : 'Nothing to show with this filter.'}</p>}
          {shown.map(row)}
        </div>
        {!following && <button type="button" class="btn small newest" onClick={() => setFollowing(true)}><Icon name="down" size={18} /> Newest</button>}
      </div>
      {allowed('owner') ? <Prompt onSent={() => setFollowing(true)} /> : <p class="why"><Icon name="lock" size={18} />Only an owner may send lines to the printer.</p>}
    </div>
  )
}

// An entry never changes, so its row is made once: Preact passes over a row that is the same object.
const rows = new WeakMap<Entry, ReturnType<typeof makeRow>>()

function row(entry: Entry) {
  let made = rows.get(entry)
  if (!made) {
    made = makeRow(entry)
    rows.set(entry, made)
  }
  return made
}

const signs = { out: '›', in: '‹', note: '·' } as const
const speakers = { out: 'sent', in: 'printer', note: 'layerd' } as const

function makeRow(entry: Entry) {
  return (
    <p key={entry.seq} class={`line ${entry.dir}`}>
      <time class="num">{clockSeconds(entry.at_ms)}</time>
      <span class="sign" aria-label={speakers[entry.dir]}>{signs[entry.dir]}</span>
      <span class="text">{entry.text}</span>
    </p>
  )
}

function Prompt({ onSent }: { onSent: () => void }) {
  const [text, setText] = useState('')
  const s = state.value
  const why = !live.value ? 'No connection to layerd.' : !s || !isConnected(s.state) ? 'The printer is not connected.' : ''
  const busy = asking('send') !== null
  const send = () => {
    const line = text.trim()
    if (!line || why) return
    recall.add(line)
    setText('')
    onSent()
    void perform('send', { do: 'send', line })
  }
  return (
    <form class="prompt" onSubmit={(event) => {
      event.preventDefault()
      send()
    }}>
      <input type="text" class="mono" aria-label="Line to send" placeholder={why || 'G-code, such as M114'} disabled={why !== ''} value={text}
        autocomplete="off" autocapitalize="characters" autocorrect="off" spellcheck={false} enterkeyhint="send"
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return
          event.preventDefault()
          setText(event.key === 'ArrowUp' ? recall.older(text) : recall.newer(text))
        }} />
      <button type="submit" class="btn primary square" aria-label="Send" disabled={why !== '' || text.trim() === ''}><Icon name="send" />{busy && <span class="unseen">Sending</span>}</button>
    </form>
  )
}
