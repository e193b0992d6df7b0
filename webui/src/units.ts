// Numbers as people read them. Unknown is a dash, never a zero.

export const dash = '–'

/** 3 h 12 min, 12 min, 45 s. A negative or missing number is unknown. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return dash
  if (seconds < 59.5) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  if (days > 0) return `${days} d ${hours % 24} h`
  if (hours > 0) return `${hours} h ${minutes % 60} min`
  return `${minutes} min`
}

/** 0:01:05: a time that is being watched as it passes. */
export function stopwatch(seconds: number): string {
  if (!Number.isFinite(seconds)) return dash
  const s = Math.max(0, Math.floor(seconds))
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
}

/** 12:04, in the phone's time zone. */
export function clock(ms: number): string {
  if (!ms) return dash
  const at = new Date(ms)
  return `${two(at.getHours())}:${two(at.getMinutes())}`
}

/** 12:04:09. */
export function clockSeconds(ms: number): string {
  if (!ms) return dash
  return `${clock(ms)}:${two(new Date(ms).getSeconds())}`
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** 12:04 today, Tue 12:04 within six days, 3 Mar 12:04 within the year, else 3 Mar 2025. */
export function moment(ms: number, nowMs: number): string {
  if (!ms) return dash
  const at = new Date(ms)
  const days = Math.round((midnight(at) - midnight(new Date(nowMs))) / 86_400_000)
  if (days === 0) return clock(ms)
  if (days === -1) return `yesterday ${clock(ms)}`
  if (Math.abs(days) < 7) return `${weekdays[at.getDay()] ?? ''} ${clock(ms)}`
  const day = `${at.getDate()} ${months[at.getMonth()] ?? ''}`
  return at.getFullYear() === new Date(nowMs).getFullYear() ? `${day} ${clock(ms)}` : `${day} ${at.getFullYear()}`
}

/** 1.2 MB. Decimal, as file managers count. */
export function bytes(count: number): string {
  if (!Number.isFinite(count) || count < 0) return dash
  if (count < 1000) return `${count} B`
  let value = count
  for (const unit of ['kB', 'MB', 'GB', 'TB']) {
    value /= 1000
    if (value < 999.5 || unit === 'TB') return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`
  }
  return dash
}

/** 214 °C, without needless decimals. */
export function celsius(value: number): string {
  return `${Math.round(value)} °C`
}

/** 12.34 mm with at most that many decimals. */
export function millimeters(value: number, decimals = 2): string {
  return `${trim(value, decimals)} mm`
}

/** Filament, for which metres read better: 4.21 m. */
export function meters(mm: number): string {
  return mm > 0 ? `${(mm / 1000).toFixed(mm < 10_000 ? 2 : 1)} m` : dash
}

/** 42, and 99 rather than 100 before the end. */
export function percent(value: number): string {
  return String(value >= 100 ? 100 : Math.max(0, Math.min(99, Math.floor(value))))
}

/** How old something is: 0.4 s, 12 s, 3 min. */
export function age(ms: number): string {
  if (ms < 9950) return `${Math.max(0, ms / 1000).toFixed(1)} s`
  return duration(ms / 1000)
}

/** A number without trailing zeros, with at most that many decimals. */
export function trim(value: number, decimals: number): string {
  const text = value.toFixed(decimals)
  return (text.includes('.') ? text.replace(/\.?0+$/, '') : text).replace(/^-0$/, '0')
}

/** Reads what a person typed: 0.4, and 0,4 as much of the world writes it. NaN when it is no number. */
export function typed(text: string): number {
  const clean = text.trim().replace(',', '.')
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(clean) ? Number(clean) : NaN
}

/** Begins with a capital letter. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function two(n: number): string {
  return String(n).padStart(2, '0')
}

function midnight(at: Date): number {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime()
}
