// What layerd keeps of prints besides their rows: messages of a part that is fetched later, so their readers are here and not in wire.ts.
// internal/server/kept.go answers.
import { get } from './api'
import { list, num, object, str, type Of } from './read'

const month = object({ month: str, prints: num, done: num, cancelled: num, failed: num, interrupted: num, printed_s: num, filament_mm: num })
export const readTotals = object({ months: list(month) })

export const readPrintLog = object({ lines: list(object({ at_ms: num, dir: str, text: str })) })

export type Month = Of<typeof month>
export type LogLine = Of<typeof readPrintLog>['lines'][number]

export const getTotals = async (): Promise<Month[]> => (await get('/v1/totals', readTotals)).months
export const getPrintLog = async (id: string): Promise<LogLine[]> => (await get(`/v1/logs/${encodeURIComponent(id)}`, readPrintLog)).lines

export const pictureURL = (id: string): string => `/v1/pictures/${encodeURIComponent(id)}`
export const csvURL = '/v1/prints.csv'
