// The real parts that the browser tests run against: printsim on a pseudo-terminal, layerd as it was built, and Debian's Chromium.
import assert from 'node:assert/strict'
import { spawn, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const here = dirname(fileURLToPath(import.meta.url))
const top = resolve(here, '../..')
const bin = (name) => resolve(top, 'bin', name) // a whole path stays as it is
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** A real slicer's file: from the shared collection where that is there, else our own small one. */
export function realFile() {
  const shared = resolve(top, '../shared/corpus/ps_cube20.gcode')
  return existsSync(shared) ? shared : join(top, 'testdata/small.gcode')
}

/** A sample with thumbnails, if the shared collection is there. It prints for 27 minutes. */
export const fileWithThumbnail = () => sample('gp_plant-sign.gcode')

/** One that prints in four minutes, if the shared collection is there. */
export const quickFile = () => sample('mini_cube_ps2.8.1.gcode')

function sample(name) {
  const shared = resolve(top, '../shared/corpus/public', name)
  return existsSync(shared) ? shared : null
}

/**
 * inaccessible lists where axe finds violations of WCAG 2.1 A and AA on a page, contrast included. What is still coming in is
 * waited for: half transparent, it has no contrast. Tiles are named in words («Nozzle: 21 °C, off»), not with the signs they show.
 */
export async function inaccessible(page, ...without) {
  await page.evaluate(() => Promise.allSettled(document.getAnimations().filter((a) => a.effect.getComputedTiming().endTime < 5000).map((a) => a.finished)))
  await page.evaluate(axe)
  const rules = Object.fromEntries(['label-content-name-mismatch', ...without].map((rule) => [rule, { enabled: false }]))
  const { violations } = await page.evaluate((rules) => window.axe.run(document, { resultTypes: ['violations'], rules }), rules)
  return violations.flatMap((v) => v.nodes.map((n) => `${v.id} ${n.target} ${n.any[0]?.message ?? ''}`))
}

/** Rig starts the parts, and ends what it started. */
export class Rig {
  dir = mkdtempSync(join(tmpdir(), 'layerd-e2e-'))
  link = join(this.dir, 'tty')
  record = join(this.dir, 'record')
  data = join(this.dir, 'data')
  children = []
  program = 'layerd' // or the path of another one
  errors = [] // what the pages complained about
  pages = []

  /** printer starts printsim with these flags. */
  async printer(...flags) {
    this.sim = this.#child('printsim', ['--link', this.link, '--record', this.record, '--advanced-ok', ...flags])
    await line(this.sim, (text) => text.includes(this.link))
    return this.sim
  }

  /** daemon starts layerd on the printer, and returns the page's address without a key. */
  async daemon(env = {}) {
    this.layerd = this.#child(this.program, ['--data', this.data, '--listen', this.address ?? '127.0.0.1:0'], {
      LAYERD_PRINTER_PORT: this.link, LAYERD_PRINTER_BAUD: '115200', LAYERD_CAMERA_DEVICE: 'simulated', ...env,
    })
    const text = await line(this.layerd, (t) => /http:\/\/\S+/.test(t))
    this.url = /http:\/\/[^\s#]+/.exec(text)[0].replace(/\/$/, '')
    this.address = this.url.replace('http://', '')
    return this.url
  }

  /** setup is the fragment of the link with which the first owner is made, as layerd has printed it. */
  setup() {
    return /#setup=\w+/.exec(this.layerd.said)[0]
  }

  /** demo starts layerd with its pretend printer and camera, whose configuration locks nothing but what env says, and returns an owner's key. */
  async demo(env = {}, ...flags) {
    this.layerd = this.#child(this.program, ['--demo', '--listen', this.address ?? '127.0.0.1:0', '--demo-record', this.record, ...flags], env)
    const text = await line(this.layerd, (t) => /#token=\S+/.test(t))
    const [, url, key] = /(http\S+)\/#token=(\S+)/.exec(text)
    this.url = url
    return key
  }

  /** tailnet starts tailnetsim, and returns the addresses of its control server and of its phone's proxy, whose phone that is, and a way to tell it what happens. */
  async tailnet() {
    const child = this.#child('tailnetsim', [])
    const text = await line(child, (t) => /phone=\S+\n/.test(t))
    const [, control, proxy, person] = /control=(\S+)\nproxy=(\S+)\nphone=(\S+)/.exec(text)
    return { control, proxy, person, happens: (words) => tell(child, words) }
  }

  /** zerotier starts zerotiersim, and returns where its token is, and a way to tell it what happens. */
  async zerotier() {
    const token = join(this.dir, 'authtoken.secret')
    const child = this.#child('zerotiersim', ['--token', token])
    await line(child, (t) => /http:/.test(t))
    return { token, happens: (words) => child.stdin.write(`${words}\n`) }
  }

  /** token makes a key on the command line, while the daemon runs. */
  token(role = 'owner') {
    const out = execFileSync(bin('layerd'), ['token', 'create', '--name', `phone of ${role}`, '--role', role, '--data', this.data], { encoding: 'utf8' })
    return out.trim().split('\n').at(-1)
  }

  async browser() {
    this.chromium = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    })
  }

  /** phone opens a page of its own, with its own cookies; path may carry the key in its fragment. */
  async phone(path, options = {}) {
    const context = await this.chromium.newContext({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, colorScheme: 'light', ...options })
    context.setDefaultTimeout(15_000)
    const page = await context.newPage()
    this.pages.push(page)
    page.on('pageerror', (error) => this.errors.push(error.message))
    page.on('console', (m) => {
      if (m.type() === 'error' && !/401|ERR_CONNECTION|WebSocket|503|Failed to load resource/.test(m.text())) this.errors.push(m.text())
    })
    await page.goto(this.url + path)
    return page
  }

  /** call asks layerd with a key, and insists on success. */
  async call(key, path, init = {}) {
    const answer = await fetch(`${this.url}${path}`, { ...init, headers: { authorization: `Bearer ${key}` } })
    assert.ok(answer.ok, `${path}: ${answer.status} ${answer.ok ? '' : await answer.text()}`)
    return answer
  }

  /** executed is what the printer has executed so far, in order. */
  executed() {
    if (!existsSync(this.record)) return []
    return readFileSync(this.record, 'utf8').split('\n').filter(Boolean).map((l) => l.split('\t')[1])
  }

  /** steps makes a test() whose steps build on each other: the first that fails leaves a picture of each page in e2e/out, and the rest fail at once. */
  steps(test) {
    let failed
    return (name, step) => test(name, async () => {
      if (failed) throw new Error(`not tried, because «${failed}» failed`)
      try {
        await step()
      } catch (error) {
        failed = name
        mkdirSync(join(here, 'out'), { recursive: true })
        for (const [i, page] of this.pages.entries()) {
          if (!page.isClosed()) await page.screenshot({ path: join(here, 'out', `${name.replace(/\W+/g, '-')}-${i}.png`) }).catch(() => {})
        }
        throw error
      }
    })
  }

  async end() {
    await this.chromium?.close()
    for (const child of this.children.reverse()) await stop(child)
    rmSync(this.dir, { recursive: true, force: true })
  }

  #child(name, args, env = {}) {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('LAYERD_')))
    const child = spawn(bin(name), args, { env: { ...inherited, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
    child.said = ''
    child.stdout.on('data', (b) => (child.said += b))
    child.stderr.on('data', (b) => (child.said += b))
    this.children.push(child)
    return child
  }
}

/** stop ends a child as systemd would, and then with force. */
export async function stop(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((done) => child.once('exit', done))
  child.kill('SIGCONT')
  child.kill(signal)
  const force = setTimeout(() => child.kill('SIGKILL'), 25_000)
  await ended
  clearTimeout(force)
}

/** line waits until what a child has said satisfies, and returns all of it. */
function line(child, satisfies) {
  return new Promise((found, failed) => {
    const look = () => satisfies(child.said) && found(child.said)
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    child.once('exit', (code) => failed(new Error(`it ended with ${code}:\n${child.said}`)))
    child.once('error', failed)
    look()
  })
}

/** tell has tailnetsim do something, and waits until it is done. */
async function tell(child, words) {
  const before = child.said.length
  child.stdin.write(`${words}\n`)
  const text = (await line(child, (t) => /^(ok|error.*)$/m.test(t.slice(before)))).slice(before)
  assert.match(text, /^ok$/m, `${words}: ${text}`)
}

/** tower is a file of so many layers of moves that stand nowhere else; layer n, from 1, is at n × 0.2 mm. */
export function tower(count) {
  const layers = Array.from({ length: count }, (_, l) => [`G1 Z${((l + 1) * 0.2).toFixed(1)} F600`, ...Array.from({ length: 10 }, (_, i) => `G1 X${80 + (i % 2) * 50}.${l + 10} Y${90 + i * 3} E0.5 F4800`)])
  return { layers, text: `G28\nM109 S200\nG90\nM83\n${layers.map((moves, l) => `;LAYER:${l}\n${moves.join('\n')}\n`).join('')}M104 S0\n` }
}

/** freePort is a port of this machine that nobody uses at the moment. */
export function freePort() {
  return new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => found(port))
    })
  })
}

/** until polls a condition in the page or here until it holds. */
export async function until(what, condition, ms = 60_000) {
  const end = Date.now() + ms
  for (;;) {
    const got = await condition()
    if (got) return got
    if (Date.now() > end) throw new Error(`it never came to pass: ${what}`)
    await new Promise((again) => setTimeout(again, 50))
  }
}
