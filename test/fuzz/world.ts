import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import fc from 'fast-check'
import pLimit from 'p-limit'
import { messageOf } from '../../src/core/failure.ts'
import { canonicalText } from '../../src/lib/hash/chain.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { ID, ROWS, URL_OF, type Row } from '../support/wire/rows.ts'
import { forWires, openWireWorld, type Exchange, type WireWorld } from '../support/wire/world.ts'
import { change, changed, textOf, wire, type Change, type Wire } from './mutations.ts'

/** One odd answer: of which kind, and what is odd about it. */
export interface Oddity {
  /** Name of the row. */
  kind: string
  /** An answer of one text comes as events, or the other way round. */
  otherwise: boolean
  changes: Change[]
  header: readonly [name: string, value: string] | undefined
  wire: Wire
}

const rows = new Map(ROWS.map((row) => [row.name, row]))
const HEADERS = ['retry-after', 'retry-after-ms', 'mcp-session-id', 'x-request-id', 'set-cookie', 'content-encoding', 'www-authenticate', 'location', 'mcp-protocol-version'] // prettier-ignore
const VALUES = ['', '-1', '0', 'NaN', '1e400', '9'.repeat(400), 'Wed, 21 Oct 2099 07:28:00 GMT', 'x'.repeat(4000), 'gzip', 'identity', 'a=b; max-age=x', '\u00ff', '"'] // prettier-ignore

export const oddity: fc.Arbitrary<Oddity> = fc.record({
  kind: fc.constantFrom(...rows.keys()),
  otherwise: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  changes: fc.array(change, { minLength: 1, maxLength: 3 }),
  header: fc.option(fc.tuple(fc.constantFrom(...HEADERS), fc.constantFrom(...VALUES)), { freq: 9, nil: undefined }),
  wire,
})

const AT_ONCE = 6

const JOB = `
limits: { deadline: 4s, turns: 4 }
context: [{ resource: "a:b" }, { prompt: p }]
`

/** What no answer of a server or a model may make a person read. */
const OUR_FAULT =
  /INTERNAL_ERROR|Unexpected:|Report it|invalid input|out of range|violates|unsupported Unicode|syntax error|column "|A fault of Nightshift|could not be begun/

/** Lets a whole worker meet odd answers, one a run. Returns those that it took for a fault of its own. */
export async function meetAll(all: readonly Oddity[]): Promise<{ odd: Oddity; why: string }[]> {
  const byKey = new Map<string, Oddity>()

  function answer(exchange: Exchange, res: ServerResponse): void {
    const odd = byKey.get(exchange.key ?? '')
    const row = rows.get(odd?.kind ?? '')
    const isTurn = exchange.of.startsWith('turn')
    if (!isTurn && row?.marked !== false) res.setHeader('x-envoy-upstream-service-time', '1')
    if (!odd || row?.of !== exchange.of) return send(res, { ...exchange, status: 200, headers: {}, event: {} }, undefined)
    const messages: unknown = JSON.parse(JSON.stringify(row.messages).replace(`"${ID}"`, () => JSON.stringify(exchange.id)).replace(URL_OF, exchange.url)) // prettier-ignore
    send(res, { ...row, messages, events: row.events !== odd.otherwise }, odd)
  }

  await using world = await openWireWorld({ jobs: forWires(() => JOB), answer })
  const limit = pLimit(AT_ONCE)
  const found = await Promise.all(
    all.map((one) =>
      limit(async () => {
        const key = randomUUID()
        byKey.set(key, one)
        const why = await meet(world, one, key)
        byKey.delete(key)
        return why === undefined ? [] : [{ odd: one, why }]
      }),
    ),
  )
  return found.flat()
}

async function meet(world: WireWorld, one: Oddity, key: string): Promise<string | undefined> {
  const { app, log } = world.testApp
  const runId = await world.write(rows.get(one.kind)?.job ?? '', key)
  try {
    await app.runner.execute(runId, randomUUID(), new AbortController().signal)
    const run = await loadRun(app.db, runId)
    // Where a person's consent is asked for, it waits.
    if (!run?.finishedAt && run?.status !== 'waiting') return `it did not end: ${run?.status}`
    canonicalText(run)
    const lines = log.filter((line) => line.includes(runId)).join('\n')
    const said = JSON.stringify([run.failure, run.reasons, run.attempts.map(({ failure }) => failure)]) + lines
    const fault = OUR_FAULT.exec(said)
    return fault ? said.slice(Math.max(0, fault.index - 200), fault.index + 600) : undefined
  } catch (error) {
    return `thrown: ${messageOf(error)} ${error instanceof Error ? error.stack : ''}`
  }
}

type Answer = Pick<Row, 'status' | 'headers' | 'event' | 'events' | 'last'> & { messages: unknown }

/** Sends messages as a body or as events, with what is odd about them. */
function send(res: ServerResponse, { messages, events, last, headers, event, ...row }: Answer, odd: Oddity | undefined): void {
  const said = odd ? changed(messages, odd.changes) : messages
  const list: unknown[] = Array.isArray(said) ? said : [said]
  const { status = row.status, type, keep = 1, junk = '', twice = false, newline = '\n' } = odd?.wire ?? {}
  const fields = Object.entries(event).map(([name, value]) => `${name}: ${String(value)}\n`).join('') // prettier-ignore
  const one = (message: unknown, isLast: boolean) => (events ? `${isLast ? fields : ''}data: ${textOf(message)}\n\n` : textOf(message)).repeat(twice ? 2 : 1) // prettier-ignore
  const whole = list.map((message, i) => (i === list.length - 1 ? junk : '') + one(message, i === list.length - 1)).join('') + last
  const bytes = Buffer.from(events && newline !== '\n' ? whole.replaceAll('\n', newline) : whole)
  const all = {
    ...headers,
    ...(odd?.header && { [odd.header[0]]: odd.header[1] }),
    'content-type': type ?? (events ? 'text/event-stream' : 'application/json'),
  }
  for (const [name, value] of Object.entries(all)) if (value !== '' || odd?.header?.[0] === name) res.setHeader(name, value)
  res.writeHead(status)
  res.end(status === 204 ? undefined : bytes.subarray(0, Math.ceil(bytes.length * keep)))
}
