// Removes what an earlier build left in dist, and nothing else: dist/placeholder.html is kept in git.
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../dist/', import.meta.url))
for (const left of ['assets', 'index.html']) rmSync(dist + left, { recursive: true, force: true })
