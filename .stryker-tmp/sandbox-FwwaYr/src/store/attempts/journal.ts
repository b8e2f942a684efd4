// @ts-nocheck
import { Failure } from '../../core/failure.ts'
import type { GatewayRequestEnd, GatewayRequestRecord, Journal, ToolCallEnd, ToolCallRecord, TurnRecord } from '../../core/ports/journal.ts'
import type { AttemptRef } from '../../core/run.ts'
import { storeText } from '../../lib/text.ts'
import { retryWhileUnavailable, query, type Db } from '../postgres/db.ts'

/** One kind of row: its columns with their types, and the statement that writes all rows `r` of a flush whose attempt is open. */
interface Kind {
  columns: readonly (readonly [name: string, type: string])[]
  write: string
}

const insert = (table: string, columns: Kind['columns']): Kind => {
  const names = columns.map(([name]) => name).join(', ')
  return {
    columns,
    write: `insert into ${table} (run_id, attempt, ${names}) select run_id, attempt, ${names} from r on conflict do nothing returning run_id`,
  }
}

const KINDS = {
  prompt: {
    columns: [
      ['prompt', 'json'],
      ['instructions', 'json'],
    ],
    write: `update attempts a set prompt = r.prompt, instructions = r.instructions from r where a.run_id = r.run_id and a.number = r.attempt returning a.run_id`,
  },
  turn: insert('turns', [
    ['number', 'int'], ['items', 'json'], ['stop_reason', 'text'], ['forced_by', 'json'], ['response_id', 'text'], ['provider_request_id', 'text'], ['model', 'text'],
    ['input_tokens', 'bigint'], ['cached_tokens', 'bigint'], ['output_tokens', 'bigint'], ['reasoning_tokens', 'bigint'], ['cost_usd', 'double precision'],
    ['started_at', 'timestamptz'], ['finished_at', 'timestamptz'],
  ]), // prettier-ignore
  response: insert('responses', [
    ['turn', 'int'],
    ['background', 'boolean'],
  ]),
  responseState: {
    columns: [
      ['turn', 'int'],
      ['response_id', 'text'],
      ['state', 'text'],
    ],
    write: `update responses p set response_id = coalesce(r.response_id, p.response_id), state = r.state
            from r where p.run_id = r.run_id and p.turn = r.turn returning p.run_id`,
  },
  toolCall: insert('tool_calls', [
    ['id', 'uuid'], ['turn', 'int'], ['position', 'int'], ['call_id', 'json'], ['server', 'text'], ['tool', 'json'], ['arguments', 'json'], ['repeatable', 'boolean'],
    ['status', 'text'], ['result', 'json'], ['failure', 'json'], ['duration_ms', 'double precision'], ['finished_at', 'timestamptz'],
  ]), // prettier-ignore
  toolCallEnd: {
    columns: [
      ['id', 'uuid'],
      ['status', 'text'],
      ['result', 'json'],
      ['failure', 'json'],
      ['duration_ms', 'double precision'],
    ],
    write: `update tool_calls t set status = r.status, result = r.result, failure = r.failure, duration_ms = r.duration_ms, finished_at = clock_timestamp()
            from r where t.id = r.id returning t.run_id`,
  },
  gatewayRequest: insert('gateway_requests', [
    ['request_id_sent', 'uuid'], ['tool_call_id', 'uuid'], ['account', 'text'], ['account_id', 'text'], ['method', 'text'], ['host', 'text'], ['path', 'text'],
    ['rpc_method', 'text'], ['server', 'text'], ['request_bytes', 'int'], ['sent_at', 'timestamptz'],
  ]), // prettier-ignore
  gatewayRequestEnd: {
    columns: [
      ['request_id_sent', 'uuid'],
      ['request_id', 'text'],
      ['status', 'int'],
      ['response_bytes', 'bigint'],
      ['error', 'text'],
      ['duration_ms', 'double precision'],
    ],
    write: `update gateway_requests g set request_id = r.request_id, status = r.status, response_bytes = r.response_bytes, error = r.error, duration_ms = r.duration_ms
            from r where g.request_id_sent = r.request_id_sent returning g.run_id`,
  },
} as const satisfies Record<string, Kind>

type KindName = keyof typeof KINDS
const KIND_NAMES: readonly KindName[] = [
  'prompt',
  'turn',
  'response',
  'responseState',
  'toolCall',
  'toolCallEnd',
  'gatewayRequest',
  'gatewayRequestEnd',
]
/** What is sent may depend on an attempt that was just superseded; what is known of a past request is kept even then. */
const UNFENCED: ReadonlySet<KindName> = new Set(['gatewayRequestEnd'])

interface Entry {
  kind: KindName
  /** The row it is about. */
  row: string
  attempt: AttemptRef
  values: unknown[]
  done: () => void
  fail: (error: unknown) => void
}

const lost = (attempt: AttemptRef) =>
  new Failure({
    code: 'WORKER_LOST',
    message: `Attempt ${attempt.number} of ${attempt.runId} is no longer this worker's: its row was not written.`,
  })

/**
 * A statement for the kinds in a flush. Each attempt that writes is locked against being superseded until the rows are durable, so a takeover
 * sees either the row or none, and then none can follow.
 */
function statementFor(kinds: readonly KindName[]): string {
  let parameter = 3
  const parts = kinds.flatMap((name) => {
    const { columns, write } = KINDS[name]
    const arrays = ['int[]', ...columns.map(([, type]) => `${type}[]`)].map((type) => `$${++parameter}::${type}`)
    const fence = UNFENCED.has(name) ? `(select run_id, number, ordinal from given)` : 'fenced'
    return [
      `${name}_rows as (select f.run_id, f.number as attempt, u.* from unnest(${arrays.join(', ')}) as u(${['ordinal', ...columns.map(([column]) => column)].join(', ')})
        join ${fence} f on f.ordinal = u.ordinal)`,
      `${name}_written as (${write.replace('from r ', `from ${name}_rows r `)})`,
    ]
  })
  return `with given as (select * from unnest($1::text[], $2::int[], $3::uuid[]) with ordinality as g(run_id, number, token, ordinal)),
    fenced as (select g.run_id, g.number, g.ordinal from given g join attempts a on a.run_id = g.run_id and a.number = g.number
      where a.token = g.token and a.finished_at is null for share of a),
    ${parts.join(',\n')}
    select ordinal::int as ordinal from fenced`
}

const MAX_ROWS = 500

/** How many entries go into the next statement. Its parts do not see each other's rows, so none of them may be about the same row. */
function batchSize(waiting: readonly Entry[]): number {
  const rows = new Set<string>()
  for (const { row } of waiting) {
    if (rows.has(row) || rows.size === MAX_ROWS) break
    rows.add(row)
  }
  return rows.size
}

/** Writes the rows of all runs of this process: while one flush is under way the next collects. One statement a flush. */
export interface JournalWriter {
  forAttempt(attempt: AttemptRef): Journal
}

export function createJournalWriter(db: Db): JournalWriter {
  const statements = new Map<string, string>()
  const waiting: Entry[] = []
  let flushing = false

  async function flush(): Promise<void> {
    flushing = true
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchSize(waiting))
      try {
        await write(batch)
      } catch (error) {
        for (const entry of batch) entry.fail(error)
      }
    }
    flushing = false
  }

  async function write(batch: readonly Entry[]): Promise<void> {
    const attempts: AttemptRef[] = []
    const ordinals = new Map<string, number>()
    const ordinalOf = (attempt: AttemptRef) => {
      let ordinal = ordinals.get(attempt.token)
      if (ordinal === undefined) {
        ordinal = attempts.push(attempt)
        ordinals.set(attempt.token, ordinal)
      }
      return ordinal
    }
    const present = KIND_NAMES.filter((name) => batch.some((entry) => entry.kind === name))
    const rows: unknown[][] = present.flatMap((name) => {
      const entries = batch.filter((entry) => entry.kind === name)
      return [
        entries.map((entry) => ordinalOf(entry.attempt)),
        ...KINDS[name].columns.map((_, i) => entries.map((entry) => entry.values[i])),
      ]
    })
    // Postgres cuts names after 63 bytes.
    const name = `journal ${present.map((kind) => KIND_NAMES.indexOf(kind)).join(' ')}`
    let text = statements.get(name)
    if (text === undefined) statements.set(name, (text = statementFor(present)))
    const values = [attempts.map((a) => a.runId), attempts.map((a) => a.number), attempts.map((a) => a.token), ...rows]
    const statement = text
    // A flush whose answer was lost is sent again: rows that are there already are left as they are.
    const fenced = await retryWhileUnavailable(() => query<{ ordinal: number }>(db, statement, values, name))
    const held = new Set(fenced.map((row) => row.ordinal))
    for (const entry of batch) {
      if (held.has(ordinalOf(entry.attempt)) || UNFENCED.has(entry.kind)) entry.done()
      else entry.fail(lost(entry.attempt))
    }
  }

  function add(kind: KindName, attempt: AttemptRef, row: string | number, values: unknown[]): Promise<void> {
    return new Promise((done, fail) => {
      waiting.push({ kind, row: typeof row === 'string' ? row : `${attempt.runId} ${row}`, attempt, values, done, fail })
      if (!flushing) {
        flushing = true
        setImmediate(() => void flush()) // what the same turn of the loop adds goes into the same statement
      }
    })
  }

  return {
    forAttempt: (attempt) => ({
      prompt: ({ prompt, instructions }) => add('prompt', attempt, 'prompt', [json(prompt), json(instructions)]),
      turn: (t) => add('turn', attempt, t.number, turnValues(t)),
      response: ({ turn, background }) => add('response', attempt, turn, [turn, background]),
      responseState: ({ turn, responseId, state }) => add('responseState', attempt, turn, [turn, textOf(responseId), state]),
      toolCall: (call) => add('toolCall', attempt, call.id, [...callValues(call), 'sent', null, null, null, null]),
      toolCallRefused: (call, end) =>
        add('toolCall', attempt, call.id, [
          ...callValues(call),
          end.status,
          json(end.result),
          json(end.failure),
          end.durationMs,
          new Date(),
        ]),
      toolCallEnd: (end) => add('toolCallEnd', attempt, end.id, toolCallEndValues(end)),
      gatewayRequest: (request) => add('gatewayRequest', attempt, request.requestIdSent, gatewayRequestValues(request)),
      gatewayRequestEnd: (end) => add('gatewayRequestEnd', attempt, end.requestIdSent, gatewayRequestEndValues(end)),
    }),
  }
}

const json = (value: unknown) => (value === null || value === undefined ? null : JSON.stringify(value))
const textOf = (value: string | null) => (value === null ? null : storeText(value))

const turnValues = (t: TurnRecord) => [
  t.number, json(t.items), storeText(t.stopReason), json(t.forcedBy), textOf(t.responseId), textOf(t.providerRequestId), storeText(t.model),
  t.usage.inputTokens, t.usage.cachedTokens, t.usage.outputTokens, t.usage.reasoningTokens, t.costUsd, t.startedAt, t.finishedAt,
] // prettier-ignore

const callValues = (c: ToolCallRecord) => [
  c.id,
  c.turn,
  c.position,
  json(c.callId),
  storeText(c.server),
  json(c.tool),
  JSON.stringify(c.arguments ?? null),
  c.repeatable,
]

const toolCallEndValues = (e: ToolCallEnd) => [e.id, e.status, json(e.result), json(e.failure), e.durationMs]

const gatewayRequestValues = (g: GatewayRequestRecord) => [
  g.requestIdSent, g.toolCallId, g.account, storeText(g.accountId), g.method, g.host, g.path, textOf(g.rpcMethod), textOf(g.server), g.requestBytes, g.sentAt,
] // prettier-ignore

const gatewayRequestEndValues = (e: GatewayRequestEnd) => [
  e.requestIdSent,
  textOf(e.requestId),
  e.status,
  e.responseBytes,
  textOf(e.error),
  e.durationMs,
]
