// What only some may use is not shown to the others.
import type { ComponentChildren } from 'preact'
import { allowed } from '../state'
import type { Role } from '../wire'

export function May({ role = 'operator', children }: { role?: Role; children: ComponentChildren }) {
  return allowed(role) ? <>{children}</> : null
}
