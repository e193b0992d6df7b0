// Lines that were refused, each with its place and the reason.
import type { Problem } from '../custom'

/** text is what the lines are numbered in. */
export function Problems({ problems, text, id }: { problems: readonly Problem[]; text: string; id: string }) {
  const lines = text.split('\n')
  return (
    <ul id={id} class="problem problems" role={problems.length > 0 ? 'alert' : undefined}>
      {problems.map((p, i) => (
        <li key={i}>
          {p.line > 0 && <><strong>Line {p.line}</strong> <code class="wrap">{(lines[p.line - 1] ?? '').trim()}</code>{': '}</>}{p.message}.
        </li>
      ))}
    </ul>
  )
}
