// A card for each thing that spoils the print by the way of the link; none when it is fine.
import { diagnosis } from '../diagnosis'
import type { State } from '../wire'
import { Icon } from './icon'

export function DiagnosisCards({ s }: { s: State }) {
  return (
    <>
      {diagnosis(s).map(({ title, text, next }) => (
        <section key={title} class="card notice-card" aria-label={title}>
          <h2><Icon name="info" /> {title}</h2>
          <p>{text} {next}</p>
        </section>
      ))}
    </>
  )
}
