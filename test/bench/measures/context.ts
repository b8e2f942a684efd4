import { runLocal, type LocalOptions } from '../../../src/agent/loop.ts'
import type { Journal } from '../../../src/core/ports/journal.ts'
import type { ToolBox } from '../../../src/core/ports/toolbox.ts'
import type { ModelRequest, ModelTurn } from '../../../src/models/model.ts'
import { median, quantile, round, type Bench, type Row } from '../bench.ts'

const RESULTS = [10, 50, 200]
const RESULT_BYTES = 20_000
const WINDOW = 32_000
/** The quickest tenth: what else the machine does makes others slow. */
const QUICK = 0.1
/** Conversations for each repetition. */
const TIMES = 20
/** Turns over which a figure is taken: some cuts lie in them. */
const TAKEN = 10
/** Conversations before the first that is measured: the first ones are slower, whatever their length. */
const WARM_UP = 10
/** Most by which figures of long conversations may be above those of short ones. */
const MOST_ABOVE = 1.2

/** What the loop itself costs while a conversation grows: the model and the tools answer at once, and the request is made into text as a provider's client does. */
export const context: Bench = {
  name: 'context',
  about: `ms and MB a turn after ${RESULTS.join(', ')} results of 20 KB through a window of 32k tokens: flat within 20 %`,
  async run({ reps, say, fail }) {
    const rows: Row[] = []
    for (let rep = 0; rep < WARM_UP; rep++) await walk(200)
    const taken = RESULTS.map((): Figures[] => [])
    // One beside the other, so that what else the machine does is in all of them.
    for (let rep = 1; rep <= reps * TIMES; rep++) for (const [index, results] of RESULTS.entries()) taken[index]?.push(await walk(results))
    for (const [index, results] of RESULTS.entries()) {
      const runs = taken[index] ?? []
      const row = {
        results,
        msATurn: round(
          quantile(
            runs.map(({ ms }) => ms),
            QUICK,
          ),
          3,
        ),
        mbATurn: round(median(runs.map(({ mb }) => mb)), 4),
      }
      say(`${results} results: ${row.msATurn} ms, ${row.mbATurn} MB a turn`)
      rows.push(row)
    }
    const [first, ...longer] = rows
    for (const kind of ['msATurn', 'mbATurn'])
      for (const row of longer)
        if (Number(row[kind]) > Number(first?.[kind]) * MOST_ABOVE)
          fail(`${kind} after ${row['results']} results is ${row[kind]}, and was ${first?.[kind]}.`)
    return rows
  },
}

interface Figures {
  ms: number
  mb: number
}

/** A conversation with so many calls, one a turn; the figures are of its last turns. */
async function walk(results: number): Promise<Figures> {
  const rows = 'a row of a table that is long\n'.repeat(RESULT_BYTES / 30)
  const at: number[] = []
  const bytes: number[] = []
  let calls = 0
  const answer = (items: ModelTurn['items'], inputTokens: number): ModelTurn => ({
    items,
    stopReason: 'end',
    usage: { inputTokens, cachedTokens: 0, outputTokens: 10, reasoningTokens: 0 },
    responseId: null,
    providerRequestId: null,
    model: 'm',
  })
  const respond = async (request: ModelRequest): Promise<ModelTurn> => {
    const size = Buffer.byteLength(JSON.stringify(request))
    at.push(performance.now())
    bytes.push(size)
    const tokens = Math.ceil(size / 4)
    if (request.exchanges.at(-1)?.reply === undefined && !request.mayCall)
      return answer([{ type: 'message', text: 'Notes. '.repeat(100) }], tokens)
    if (calls === results) return answer([{ type: 'message', text: 'done' }], tokens)
    calls++
    return answer([{ type: 'tool_call', callId: `call_${calls}`, name: 'shop__look', arguments: JSON.stringify({ n: calls }) }], tokens)
  }
  await runLocal(optionsFor(respond, rows), new AbortController().signal)
  const from = Math.max(1, at.length - TAKEN - 1)
  const ms = (Number(at.at(-1)) - Number(at[from - 1])) / (at.length - from)
  const taken = bytes.slice(from)
  return { ms, mb: taken.reduce((sum, one) => sum + one, 0) / taken.length / 1e6 }
}

function optionsFor(respond: LocalOptions['model']['respond'], rows: string): LocalOptions {
  const nothing = async () => {}
  const tools: ToolBox = {
    tools: [{ name: 'shop__look', description: 'looks', parameters: { type: 'object', properties: { n: { type: 'integer' } } } }],
    servers: [],
    resolve: (call) => call,
    isRepeatable: () => true,
    serverOf: () => 'shop',
    call: async ({ arguments: args }) => ({ status: 'ok', text: `${args}: ${rows}`, truncated: false, failure: null, mistake: false }),
  }
  const journal: Journal = {
    gatewayRequest: nothing,
    gatewayRequestEnd: nothing,
    toolCall: nothing,
    toolCallRefused: nothing,
    toolCallEnd: nothing,
    prompt: nothing,
    turn: nothing,
    unseenAnswer: nothing,
    toolCallDetails: nothing,
    lostCalls: nothing,
    response: nothing,
    responseState: nothing,
    keepContent: async () => ({ digest: '', bytes: 0 }),
    readContent: async () => undefined,
  }
  return {
    model: { respond },
    journal,
    tools,
    instructions: 'You read tables.',
    prompt: 'Read them all.',
    output: undefined,
    needed: [],
    partial: [],
    bare: false,
    labels: undefined,
    window: { tokens: WINDOW },
    settings: {},
    cacheKey: 'bench',
    limits: { turns: 1000, toolCalls: 1000, tokens: undefined, costUsd: undefined },
    price: undefined,
    inUse: () => ({ provider: 'measured', name: 'measured', price: undefined, tier: undefined }),
    budget: undefined,
    warn: () => {},
    warnNoUsage: () => {},
    warnNoPrice: () => {},
    history: [],
    unseen: [],
    nextTurn: 1,
    softDeadline: Number.POSITIVE_INFINITY,
    onUnknown: 'stop',
    toolConcurrency: 4,
    resultBytes: 262_144,
    staleAfterMs: Number.POSITIVE_INFINITY,
  }
}
