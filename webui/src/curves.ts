// Messages of temperatures over time. They are asked for by a part that is fetched later, so their readers are here and not in wire.ts.
// internal/server/kept.go answers.
import { get } from './api'
import { bool, list, num, object, orNull, str, type Of } from './read'

const heaterCurve = object({ name: str, actual_c: list(orNull(num)), target_c: list(orNull(num)) })
const curveFields = { from_ms: num, gap_ms: num, after_ms: list(num), heaters: list(heaterCurve) }

export const readCurve = object(curveFields)
export const readRecent = object({ whole: bool, newest_ms: num, now_ms: num, ...curveFields })

export type Curve = Of<typeof readCurve>
export type Recent = Of<typeof readRecent>

/** Temperatures of the last half hour that are newer than that; 0 for all. */
export const getRecent = (sinceMs: number): Promise<Recent> => get(`/v1/temperatures?since_ms=${sinceMs}`, readRecent)

/** All temperatures of a print. */
export const getCurve = (id: string): Promise<Curve> => get(`/v1/curves/${encodeURIComponent(id)}`, readCurve)
