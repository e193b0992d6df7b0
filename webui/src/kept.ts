// What layerd keeps of prints besides their rows, and the temperatures of the last half hour: messages of parts that are fetched later, so
// their readers are too. internal/server/kept.go answers.
import { get } from './api'
import { bool, list, num, object, orNull, str, type Of } from './read'

const heaterCurve = object({ name: str, actual_c: list(orNull(num)), target_c: list(orNull(num)) })
const curveFields = { from_ms: num, gap_ms: num, after_ms: list(num), heaters: list(heaterCurve) }

export const readCurve = object(curveFields)
export const readRecent = object({ whole: bool, newest_ms: num, now_ms: num, ...curveFields })

const month = object({ month: str, prints: num, done: num, cancelled: num, failed: num, interrupted: num, printed_s: num, filament_mm: num })
export const readTotals = object({ months: list(month) })

export const readPrintLog = object({ lines: list(object({ at_ms: num, dir: str, text: str })) })

export type Curve = Of<typeof readCurve>
export type Recent = Of<typeof readRecent>
export type Month = Of<typeof month>
export type LogLine = Of<typeof readPrintLog>['lines'][number]

/** Temperatures newer than that; 0 for all of the last half hour. */
export const getRecent = (sinceMs: number): Promise<Recent> => get(`/v1/temperatures?since_ms=${sinceMs}`, readRecent)
export const getCurve = (id: string): Promise<Curve> => get(`/v1/curves/${encodeURIComponent(id)}`, readCurve)
export const getTotals = async (): Promise<Month[]> => (await get('/v1/totals', readTotals)).months
export const getPrintLog = async (id: string): Promise<LogLine[]> => (await get(`/v1/logs/${encodeURIComponent(id)}`, readPrintLog)).lines

export const pictureURL = (id: string): string => `/v1/pictures/${encodeURIComponent(id)}`
export const csvURL = '/v1/prints.csv'
