// Prints what the built page weighs, and fails when the JavaScript of the first load is over its budget. The first load is what
// index.html names; parts that are fetched later are listed but not counted.
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const budget = 40_000 // bytes of gzip
const dist = fileURLToPath(new URL('../dist/', import.meta.url))
const html = readFileSync(dist + 'index.html', 'utf8')

if (/<script(?![^>]*\bsrc=)/.test(html)) fail('index.html has an inline script, which the page\'s content policy forbids')

let first = 0
for (const name of readdirSync(dist + 'assets').sort()) {
  const data = readFileSync(dist + 'assets/' + name)
  const zipped = gzipSync(data, { level: 9 }).length
  const isFirst = html.includes(name)
  if (isFirst && name.endsWith('.js')) first += zipped
  console.log(`${name.padEnd(32)} ${kb(data.length)}  gzip ${kb(zipped)}${isFirst ? '' : '  (later)'}`)
}
console.log(`first load, JavaScript: ${kb(first)} gzip of ${kb(budget)} allowed`)
if (first > budget) fail('the first load is over its budget')

function kb(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`.padStart(9)
}

function fail(why) {
  console.error(why)
  process.exit(1)
}
