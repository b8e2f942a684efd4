import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../src/core/failure.ts'
import { createRedactor } from '../../src/lib/redact.ts'
import { createDispatcher } from '../../src/pomerium/dispatcher.ts'
import { createGatewayFetch } from '../../src/pomerium/fetch.ts'
import { openToolBox } from '../../src/mcp/toolbox.ts'
import { createRecordingJournal } from '../support/gateway/recording-journal.ts'
import { aServer } from '../support/mcp/tool-box.ts'
import { ATTACKS, CANARY } from './attacks.ts'

// A process of its own, with little memory, in which one call meets a hostile server while other calls go to a good one. Writes what came of it as a line of JSON.

const MAX_RESPONSE = 16_777_216
const [name, hostileUrl = '', goodUrl = ''] = process.argv.slice(2)
const attack = ATTACKS.find((one) => one.name === name)
if (!attack) throw new Error(`there is no attack ${name}`)

const redactor = createRedactor()
redactor.add(CANARY)
const { redact } = redactor
const journal = createRecordingJournal()
const token = { userId: 'svc-reports', jwt: CANARY, accountId: 'account-1', expiresAt: undefined }
const dispatcher = createDispatcher({})
const fetch = createGatewayFetch({
  dispatcher,
  account: 'reports',
  tokens: { current: () => token },
  runId: '00000000-0000-4000-8000-000000000001',
  journal,
  maxResponseBytes: MAX_RESPONSE,
  redact,
})
const { signal } = new AbortController()
const open = (url: string) =>
  openToolBox(
    {
      servers: [aServer(url, { allow: ['act'], maxRequestBytes: 1_048_576 })],
      fetch,
      journal,
      onUnknown: 'stop',
      resultBytes: 262_144,
      redact,
      timeoutMs: 20_000,
      maxResponseBytes: MAX_RESPONSE,
    },
    signal,
  )

const place = (n: number) => ({ turn: 1, position: n, callId: `n${n}`, name: 'shop__act', giveUpAt: new Date('9999-01-01') })

const told: unknown[] = []
async function meet(): Promise<string> {
  try {
    const box = await open(hostileUrl)
    told.push(box.tools, box.servers, box.instructions, box.notes)
    try {
      const outcome = await box.call({ ...place(0), arguments: JSON.stringify(attack?.arguments ?? {}) }, signal)
      told.push(outcome)
      return outcome.status
    } finally {
      await box.close()
    }
  } catch (error) {
    told.push(error instanceof Failure ? error.toJSON() : String(error))
    return error instanceof Failure ? error.code : `no failure of ours: ${String(error)}`
  }
}

const neighbour = await open(goodUrl)
const ending = new AbortController()
let good = 0
let bad = 0
async function live(): Promise<void> {
  for (let n = 0; !ending.signal.aborted; n++) {
    const { status } = await neighbour.call({ ...place(n), arguments: '{"n": 1}' }, signal)
    if (status === 'ok') good++
    else bad++
    await sleep(50)
  }
}
const living = live()
const before = process.threadCpuUsage()
const outcome = await meet()
const { user, system } = process.threadCpuUsage(before)
ending.abort()
await living
await neighbour.close()
await dispatcher.destroy()
const kept = JSON.stringify([told, journal.calls, journal.ends, journal.requests, journal.requestEnds])
process.stdout.write(
  `${JSON.stringify({
    outcome,
    loopSeconds: (user + system) / 1e6,
    rssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    neighbour: { good, bad },
    canary: CANARY.split('.').some((part) => kept.includes(part)) || kept.includes('pom_mat_abcdefghijkl'),
  })}\n`,
)
