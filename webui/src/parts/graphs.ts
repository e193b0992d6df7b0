// The graphs, fetched when they are first shown. One place asks for them, so that the first load stays in one file.
import { lazy } from './lazy'

export const TemperatureCard = lazy(() => import('./graph').then((m) => m.TemperatureCard))
export const PrintCurve = lazy(() => import('./graph').then((m) => m.PrintCurve))
