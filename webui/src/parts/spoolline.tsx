// What is to be said of the spool in one line: on the Print screen, and before a start.
import { useEffect } from 'preact/hooks'
import { routeHash } from '../route'
import { followShelf, shelf, spoolOn, type Spool } from '../shelf'
import { meters } from '../units'
import { Icon } from './icon'

export function Swatch({ colour }: { colour: string }) {
  return <span class="swatch" style={{ background: colour || 'var(--sunken)' }} aria-hidden="true" />
}

/** "8.1 m left", "" when nobody knows. */
export const leftText = (s: Pick<Spool, 'left_mm'>): string => (s.left_mm < 0 ? '' : s.left_mm > 0 ? `${meters(s.left_mm)} left` : 'empty')

/** The spool in use, with what is left. */
export function SpoolLine() {
  useEffect(followShelf, [])
  const all = shelf.value
  if (!all || all.active.length === 0) return null
  return (
    <>
      {all.active.map(({ tool, name }) => {
        const s = spoolOn(all, tool)
        return (
          <a key={tool} class="spool-line" href={routeHash('settings', 'spools')} data-testid="spool">
            <Swatch colour={s?.colour ?? ''} />
            <span class="wrap">{all.active.length > 1 && `Nozzle ${tool + 1}: `}{s?.name ?? name}</span>
            <span class="muted num">{s ? leftText(s) : ''}</span>
          </a>
        )
      })}
    </>
  )
}

/** What a file needs, and what the spool has. */
export function Needs({ needMM }: { needMM: number }) {
  useEffect(followShelf, [])
  const s = spoolOn(shelf.value, 0)
  if (!s || needMM <= 0 || s.left_mm < 0) return null
  const short = s.left_mm < needMM
  return (
    <p class={short ? 'needs short' : 'needs muted'} role={short ? 'status' : undefined} data-testid="needs">
      {short && <Icon name="warn" size={20} />}
      <span>needs <strong class="num">{meters(needMM)}</strong>, <span class="wrap">{s.name}</span> has <strong class="num">{s.left_mm > 0 ? meters(s.left_mm) : 'nothing'}</strong></span>
    </p>
  )
}
