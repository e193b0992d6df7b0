// OctoPrint's push API as its own clients use it: npm's sockjs-client, over each of its transports, through the whole of a print.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createRequire } from 'node:module'
import { Rig } from './rig.mjs'

const SockJS = createRequire(import.meta.url)('sockjs-client')
const rig = new Rig()
const body = 'G28\nG1 X10 Y10 F6000\nG1 X20 E1 F6000\n'
let key

before(async () => {
  key = await rig.demo()
  await rig.call(key, '/v1/files/push.gcode', { method: 'PUT', body })
})
after(() => rig.end())

const act = async (command) => rig.call(key, '/v1/do', { method: 'POST', body: JSON.stringify(command) })

/** listen connects, shows a key, and resolves when what was pushed satisfies enough; a socket that closes before fails it. */
function listen(transport, auth, enough) {
  return new Promise((done, failed) => {
    const socket = new SockJS(`${rig.url}/sockjs`, null, { transports: [transport], timeout: 10_000 })
    const heard = []
    socket.onopen = () => socket.send(JSON.stringify({ auth }))
    socket.onmessage = ({ data }) => {
      heard.push(...Object.entries(data))
      if (!enough(heard)) return
      socket.onclose = () => done(heard)
      socket.close()
    }
    socket.onclose = ({ code, reason }) => failed(new Error(`${transport} closed: ${code} ${reason} after ${JSON.stringify(heard.map(([kind]) => kind))}`))
  })
}

const kinds = (heard) => heard.map(([kind]) => kind)
const events = (heard) => heard.filter(([kind]) => kind === 'event').map(([, event]) => event.type)
const states = (heard) => heard.filter(([kind]) => kind === 'current').map(([, current]) => current.state.text)

for (const transport of ['websocket', 'xhr-streaming', 'xhr-polling']) {
  test(`a print is heard over ${transport}`, { timeout: 120_000 }, async () => {
    let started
    const heard = await listen(transport, `kim:${key}`, (heard) => {
      // The print begins when the client is known to listen.
      started ??= states(heard).includes('Operational') ? act({ id: transport, do: 'start', file: 'push.gcode', anyway: true }) : undefined
      return events(heard).includes('PrintDone') && states(heard).at(-1) === 'Operational'
    })
    await started
    assert.deepEqual(kinds(heard).filter((kind) => kind !== 'event').slice(0, 3), ['connected', 'history', 'timelapse'])
    const at = (type) => events(heard).indexOf(type)
    assert.ok(at('PrintStarted') >= 0 && at('PrintStarted') < at('PrintDone'), `${events(heard)}`)
    const [, current] = heard.findLast(([kind]) => kind === 'current')
    assert.equal(current.job.file.path, 'push.gcode')
    assert.equal(current.progress.completion, 100)
    assert.ok(heard.some(([kind, m]) => kind === 'current' && m.temps[0]?.tool0.actual > 0), 'no temperatures came')
    assert.ok(heard.some(([kind, m]) => kind === 'current' && m.logs.some((line) => line.startsWith('Send: '))), 'the console did not come')
  })
}

test('a wrong key hears that it is wrong, and nothing else', async () => {
  const heard = await listen('websocket', 'kim:nonsense', (heard) => kinds(heard).includes('reauthRequired'))
  assert.deepEqual(kinds(heard), ['connected', 'reauthRequired'])
})
