// What a file says of itself, and what is doubtful about it on this printer: in the file's sheet. Fetched with it.
import { useEffect, useState } from 'preact/hooks'
import { factRows, getFacts, type FileFacts } from '../facts'
import { Icon } from './icon'

export function FileFactsList({ path, version }: { path: string; version: string }) {
  const [facts, setFacts] = useState<FileFacts | null>(null)
  useEffect(() => {
    let gone = false
    setFacts(null)
    getFacts(path).then((got) => !gone && setFacts(got), () => {}) // the sheet says what it knows without
    return () => { gone = true }
  }, [path, version])
  if (!facts) return null
  const rows = factRows(facts)
  return (
    <div class="file-facts">
      {facts.warnings.length > 0 && <ul class="warnings" aria-label="Look at this before you print">{facts.warnings.map((text) => <li key={text}><Icon name="warn" size={20} /><span>{text}</span></li>)}</ul>}
      {rows.length > 0 && (
        <details class="values">
          <summary>More of this file<Icon name="down" size={20} /></summary>
          <dl class="list num">{rows.map(([name, words]) => <div key={name}><dt>{name}</dt><dd class="wrap">{words}</dd></div>)}</dl>
        </details>
      )}
    </div>
  )
}
