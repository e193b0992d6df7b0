// Temperatures as lines over time, with targets dashed. The drawing is uPlot's, on a canvas; words for it are in the label.
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { bounds, columns, type Temps } from '../temps'
import { clock, clockSeconds } from '../units'

interface PlotProps {
  temps: Temps
  /** What is shown, in Unix ms. */
  fromMs: number
  toMs: number
  label: string
}

const height = 168

export function Plot({ temps, fromMs, toMs, label }: PlotProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const shown = useRef({ temps, fromMs, toMs })
  shown.current = { temps, fromMs, toMs }
  const names = temps.lines.map((line) => line.name).join()

  useEffect(() => {
    const element = box.current
    if (!element) return
    const draw = () => {
      plot.current?.destroy()
      plot.current = new uPlot(options(element, shown.current.temps, () => shown.current), columns(shown.current.temps), element)
    }
    draw()
    const resized = new ResizeObserver(() => {
      if (plot.current && element.clientWidth > 0 && plot.current.width !== element.clientWidth) plot.current.setSize({ width: element.clientWidth, height })
    })
    resized.observe(element)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', draw) // the colours are painted, not styled
    return () => {
      dark.removeEventListener('change', draw)
      resized.disconnect()
      plot.current?.destroy()
      plot.current = null
    }
  }, [names])

  useEffect(() => plot.current?.setData(columns(temps)), [temps, fromMs, toMs])

  return <div ref={box} class="plot" role="img" aria-label={label} data-points={temps.atMs.length} />
}

function options(element: HTMLElement, temps: Temps, now: () => Pick<PlotProps, 'temps' | 'fromMs' | 'toMs'>): uPlot.Options {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const axis = { stroke: colour('--muted'), font: `12px ${style.fontFamily}`, ticks: { show: false }, grid: { stroke: colour('--line'), width: 1 } }
  return {
    width: element.clientWidth || 300, height, padding: [8, 6, 0, 0], legend: { show: false }, cursor: { show: false },
    scales: {
      x: { range: () => [now().fromMs / 1000, now().toMs / 1000] },
      y: { range: () => bounds(now().temps) },
    },
    axes: [
      { ...axis, size: 24, gap: 4, space: 56, values: (_, marks, __, ___, stepS) => marks.map((s) => (stepS < 60 ? clockSeconds : clock)(s * 1000)), grid: { show: false } },
      { ...axis, size: 34, gap: 4, space: 30, values: (_, marks) => marks.map((c) => `${c}°`) },
    ],
    series: [{}, ...temps.lines.flatMap((line) => {
      const stroke = colour(colourOf(line.name))
      const points = { show: false }
      return [
        { stroke, width: 2, points },
        { stroke, width: 1.5, dash: [5, 4], points, paths: uPlot.paths.stepped?.({ align: 1 }) },
      ] as uPlot.Series[]
    })],
  }
}

/** The custom property that holds a heater's colour. */
export function colourOf(name: string): string {
  const tool = /^nozzle(\d+)$/.exec(name)?.[1]
  return tool === undefined ? `--heat-${name}` : `--heat-nozzle${Number(tool) % 4}`
}
