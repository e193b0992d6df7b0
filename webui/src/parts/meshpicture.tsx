// The bed from above: the front at the bottom, a number in each point, blue below the mean and orange above it.
import { tint, type BedMesh } from '../mesh'
import { height } from './tune'

const cellW = 60
const cellH = 44

export function MeshPicture({ mesh }: { mesh: BedMesh }) {
  const rows = mesh.rows_mm
  const columns = rows[0]?.length ?? 0
  const fromBack = rows.map((row, y) => ({ row, y })).reverse()
  const label = `Bed mesh, ${columns} by ${rows.length} points, from ${height(mesh.low_mm)} to ${height(mesh.high_mm)} mm. The table below has all numbers.`
  return (
    <figure class="mesh">
      <p class="mesh-edge" aria-hidden="true">Back</p>
      <div class="mesh-scroll" tabIndex={columns > 7 ? 0 : undefined}>
        <svg role="img" aria-label={label} viewBox={`0 0 ${columns * cellW} ${rows.length * cellH}`} style={{ minWidth: `${columns * 44}px` }}>
          {fromBack.map(({ row, y }, i) => row.map((mm, x) => {
            const t = mm === null ? 0 : tint(mm, mesh)
            const fill = mm === null ? 'none' : `color-mix(in srgb, var(--mesh-${t < 0 ? 'low' : 'high'}) ${Math.round(Math.abs(t) * 100)}%, var(--mesh-mid))`
            return (
              <g key={`${x},${y}`}>
                <rect class={mm === null ? 'mesh-unknown' : ''} x={x * cellW + 1} y={i * cellH + 1} width={cellW - 2} height={cellH - 2} rx={5} style={{ fill }} />
                <text x={(x + 0.5) * cellW} y={(i + 0.5) * cellH} dy="0.35em">{mm === null ? '?' : height(mm)}</text>
              </g>
            )
          }))}
        </svg>
      </div>
      <p class="mesh-edge" aria-hidden="true">Front</p>
      <p class="mesh-key" aria-hidden="true"><span>{height(mesh.low_mm)}</span><i /><span>{height(mesh.high_mm)} mm</span></p>
      <details>
        <summary>As a table</summary>
        <div class="mesh-scroll" tabIndex={columns > 5 ? 0 : undefined}>
          <table class="num">
            <caption class="small muted">Heights in mm, the back row first</caption>
            <thead><tr><th scope="col">Row</th>{rows[0]?.map((_, x) => <th key={x} scope="col">{x === 0 ? 'Left' : x === columns - 1 ? 'Right' : x + 1}</th>)}</tr></thead>
            <tbody>
              {fromBack.map(({ row, y }) => (
                <tr key={y}>
                  <th scope="row">{y === 0 ? 'Front' : y === rows.length - 1 ? 'Back' : y + 1}</th>
                  {row.map((mm, x) => <td key={x}>{mm === null ? 'unknown' : height(mm)}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  )
}
