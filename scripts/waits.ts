import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { configSchema } from '../src/config/schema.ts'
import { jobSchema } from '../src/jobs/schema.ts'
import { keysOf } from './reference.ts'

const SRC = join(import.meta.dirname, '../src')

/** One thing that we wait for. */
export interface WaitRow {
  what: string
  /** How long at most: constants of a file (`file#NAME`), keys of the configuration or of a job, or words. */
  bound: readonly string[]
  after: string
  /** Files below `src/` that wait for it, beside those of the constants. */
  also?: readonly string[]
}

const config = (key: string) => `config ${key}`
const job = (key: string) => `job ${key}`

/** Everything that we wait for outside of this process, and for how long. ARCHITECTURE.md prints it: npm run generate. */
export const WAITS: readonly WaitRow[] = [
  { what: 'Postgres: a connection', bound: ['store/postgres/db.ts#TIMEOUTS.connectMs'], after: '`STORE_UNAVAILABLE`' },
  {
    what: 'Postgres: a statement',
    bound: ['store/postgres/db.ts#TIMEOUTS.statementMs'],
    after: 'the server ends it: `STORE_UNAVAILABLE`',
    also: ['queue/backend.ts'],
  },
  {
    what: 'Postgres: its word that a statement took too long',
    bound: ['store/postgres/db.ts#TIMEOUTS.answerMs'],
    after: 'the connection is given up',
  },
  {
    what: 'Postgres: a lock that another session has',
    bound: ['store/postgres/db.ts#TIMEOUTS.lockMs'],
    after: '`STORE_UNAVAILABLE`; what may be done twice is tried again',
  },
  {
    what: 'Postgres: a session with a transaction that is silent',
    bound: ['store/postgres/db.ts#TIMEOUTS.idleInTransactionMs'],
    after: 'the server ends it, and its locks with it',
  },
  {
    what: 'Postgres: a statement of upkeep or of an audit',
    bound: ['store/postgres/db.ts#SLOW_STATEMENT_MS'],
    after: 'the round of the duty fails, and is counted; the next one comes',
  },
  {
    what: 'Postgres, a file or a pipe: the next rows of a backup or a restore',
    bound: ['store/postgres/backup/session.ts#SILENT_MS'],
    after: 'it is given up; a signal ends it at once. No half file and no half store stays',
    also: ['store/postgres/backup/dump.ts', 'store/postgres/backup/load.ts', 'store/postgres/backup/open.ts'],
  },
  {
    what: 'the store, for a write that a promise rests on',
    bound: ['store/postgres/db.ts#PATIENCE_MS'],
    after: 'the attempt ends with `STORE_UNAVAILABLE`; its run is taken over when its lease runs out',
  },
  {
    what: 'the store, for a heartbeat: a sixth of `worker.lockTimeout`, and at least',
    bound: ['queue/heartbeat.ts#MIN_BEAT_MS'],
    after: 'the next beat is tried, a second later',
  },
  {
    what: 'a row of the journal',
    bound: ['as long as a write that a promise rests on'],
    after: 'what the row announces is not done',
    also: ['store/group-commit.ts'],
  },
  {
    what: 'another process at the same work (checkpoint, join)',
    bound: ['store/postgres/advisory-lock.ts#WAIT_MS'],
    after: '`STORE_UNAVAILABLE`; the next round tries again',
  },
  { what: 'that process, while it is silent', bound: ['store/postgres/advisory-lock.ts#HOLD_MS'], after: 'it loses the lock' },
  { what: 'another process that migrates', bound: ['store/postgres/migrate.ts#PATIENCE_MS'], after: '`STORE_UNAVAILABLE`' },
  {
    what: 'readers and workers, for a step of a migration',
    bound: ['store/postgres/migrate.ts#LOCK_TIMEOUT_MS'],
    after: 'the step gives way, and is tried again',
  },
  {
    what: 'the embedded Postgres, until it answers',
    bound: ['store/postgres/embedded/server.ts#ANSWER_MS'],
    after: '`STORE_UNAVAILABLE`; the server is ended',
    also: ['store/postgres/embedded/access.ts'],
  },
  {
    what: 'the embedded Postgres, while it replays its log',
    bound: ['store/postgres/embedded/server.ts#RECOVERY_MS'],
    after: '`STORE_UNAVAILABLE`',
  },
  {
    what: 'the embedded Postgres, until it has ended',
    bound: ['store/postgres/embedded/server.ts#STOP_MS'],
    after: 'it is left to the next process',
  },
  {
    what: 'initdb',
    bound: ['store/postgres/embedded/cluster.ts#INIT_MS'],
    after: 'it is ended: `STORE_UNAVAILABLE`; the next start begins anew',
  },
  {
    what: 'the guard of the embedded Postgres, to say that it heard of us; `mkfifo`, for its pipe',
    bound: ['store/postgres/embedded/guard.ts#HEARD_MS', 'store/postgres/embedded/guard.ts#MAKE_MS'],
    after: 'the server is used as it is; without a pipe, it has no guard',
  },
  {
    what: 'another process that prepares the embedded Postgres (its lock file)',
    bound: ['store/postgres/embedded/lock.ts#WAIT_MS'],
    after: '`STORE_UNAVAILABLE` that names the process; one that is dead loses the lock at once',
  },
  {
    what: '`ps`, for when that process was started',
    bound: ['store/postgres/embedded/processes.ts#PS_MS'],
    after: 'that process counts as alive',
  },
  {
    what: 'Redis: a connection',
    bound: ['queue/backend.ts#CONNECT_TIMEOUT_MS'],
    after: '`QUEUE_UNAVAILABLE` at the start, a new try later',
  },
  { what: 'Redis: a command', bound: ['queue/backend.ts#COMMAND_TIMEOUT_MS'], after: '`QUEUE_UNAVAILABLE`', also: ['app/app.ts'] },
  {
    what: 'Redis: anything on a connection that was asked',
    bound: ['queue/backend.ts#SILENT_MS'],
    after: 'the connection is made anew',
  },
  {
    what: 'the queue, for runs to wake',
    bound: ['queue/producer.ts#WAKE_MS'],
    after: 'a line of the log; the sweep adds them. No schedule, request or slot waits for it',
  },
  {
    what: 'the queue, to take a run back for later',
    bound: ['queue/worker.ts#ANSWER_MS'],
    after: 'the slot is free; the queue hands the run out again when its lock runs out',
  },
  { what: 'the queue, for a worker to begin', bound: ['queue/backend.ts#READY_MS'], after: '`QUEUE_UNAVAILABLE`: the process ends' },
  { what: 'the queue, for work', bound: ['without end'], after: 'nothing else waits for it' },
  {
    what: 'the queue, to close',
    bound: ['queue/worker.ts#CLOSE_MS'],
    after: 'the process ends without; its queue jobs are handed out again',
  },
  { what: 'runs, after SIGTERM', bound: [config('worker.drainTimeout')], after: 'they are handed back, for another worker' },
  { what: 'a round of a duty, to stop', bound: ['lib/time/poll.ts#STOP_MS'], after: 'a line of the log; the process goes on to stop' },
  {
    what: 'an attempt, in all',
    bound: [job('limits.deadline')],
    after: '`DEADLINE`; what the run had by then is kept',
    also: ['lib/time/deadline.ts', 'lib/time/turns.ts', 'eval/money-limit.ts'],
  },
  {
    what: 'the gateway, a model: a connection; with a proxy, one to that as well',
    bound: ['lib/net/way/connector.ts#CONNECT_MS'],
    after: '`GATEWAY_UNREACHABLE`, `MODEL_UNAVAILABLE`, which are tried again',
    also: ['lib/net/way/tunnel.ts', 'pomerium/dispatcher.ts'],
  },
  {
    what: 'the gateway: session, tools, route list, a free connection',
    bound: [config('gateway.setupTimeout')],
    after: '`GATEWAY_UNREACHABLE`, or `UPSTREAM_UNAVAILABLE` of the server',
    also: ['pomerium/routes.ts', 'pomerium/unauthorized.ts', 'pomerium/fetch.ts', 'mcp/session/fetch.ts', 'lib/net/http.ts'],
  },
  {
    what: 'an MCP server: a free slot (its `concurrency`), for a call',
    bound: [job('limits.deadline')],
    after: 'the call is not made, and the model is told so, while there is time for its last turn',
    also: ['mcp/slots.ts'],
  },
  {
    what: 'an MCP server: a call of a tool, to its whole result',
    bound: [job('limits.call'), job('tools.<name>.timeout')],
    after: '`OUTCOME_UNKNOWN`, or the next attempt makes a repeatable call again',
    also: ['mcp/session/exchange.ts'],
  },
  {
    what: 'a slot of a server (`servers.<name>.concurrency`)',
    bound: ['as long as the run has time'],
    after: 'the call is not made, and the model is told',
    also: ['mcp/slots.ts'],
  },
  { what: 'an MCP server: a result after its stream ended', bound: ['mcp/session/exchange.ts#ANSWER_GRACE_MS'], after: 'the same' },
  { what: 'an MCP server: the end of a session', bound: ['mcp/session/session.ts#CLOSE_TIMEOUT_MS'], after: 'it is left' },
  { what: 'the gateway: a consent page', bound: ['pomerium/consent.ts#ANSWER_MS'], after: '`GATEWAY_UNREACHABLE`' },
  {
    what: 'a thread for foreign text, until it is there',
    bound: ['lib/threads.ts#START_MS'],
    after: 'arguments go to the server unchecked; a large result is a text without a shape',
  },
  {
    what: 'a thread that looks at a large result, or reads a part of it',
    bound: ['core/rules/reading/aside.ts#READING_MS'],
    after: 'the thread is ended; the result is a text without a shape, and the model is told to read it by lines',
  },
  {
    what: 'the check of arguments by the schema of a server, in a thread',
    bound: ['mcp/arguments/foreign.ts#CHECK_MS'],
    after: 'the thread is ended; the arguments go to the server unchecked',
  },
  { what: 'a template', bound: ['jobs/template/engine.ts#RENDER_LIMIT_MS'], after: '`JOB_INVALID`' },
  {
    what: 'a model: the head of an answer, and each silence within it',
    bound: [config('providers.<name>.answerTimeout')],
    after: '`MODEL_UNAVAILABLE`, which is tried again',
    also: [
      'models/connection.ts',
      'models/anthropic/client.ts',
      'models/anthropic/messages.ts',
      'models/anthropic/hosted/client.ts',
      'models/anthropic/provider.ts',
      'models/openai/provider.ts',
      'models/openai/chat.ts',
      'models/asked.ts',
      'models/openai/raw/chat-stream.ts',
      'models/raw/read.ts',
      'models/openai/responses.ts',
      'models/redacted.ts',
      'models/openai/hosted/streams.ts',
      'lib/net/until-aborted.ts',
      'agent/hosted/reader.ts',
    ],
  },
  {
    what: 'a provider that names when its rate limit ends, or has no room in the tier flex',
    bound: ['as long as the run has time'],
    after: 'the attempt fails, and is tried again; in flex, the default tier is asked where the job says so (`model.onNoRoom`)',
    also: ['agent/relay/relay.ts'],
  },
  {
    what: 'a provider that does not stream a background answer, until it is asked for it again',
    bound: ['models/openai/hosted/streams.ts#MAX_POLL_MS'],
    after: 'it is asked, as long as the run has time',
  },
  {
    what: 'a provider, to cancel a hosted answer',
    bound: ['models/openai/hosted/client.ts#CANCEL_TIMEOUT_MS'],
    after: 'the answer is left',
  },
  {
    what: 'a webhook',
    bound: ['delivery/destinations/webhook.ts#TIMEOUT_MS'],
    after: 'the report is tried again; after three silent tries all for that place wait a minute',
  },
  {
    what: 'a place of reports that was silent three times, until it is asked again',
    bound: ['delivery/outbox.ts#PUT_OFF_MS'],
    after: 'its reports are tried again',
  },
  { what: 'a destination, whichever, for one report (a file system that hangs)', bound: ['delivery/outbox.ts#TRY_MS'], after: 'the same' },
  {
    what: 'deliveries under way, to stop',
    bound: ['delivery/outbox.ts#LEASE_MS'],
    after: 'they are left; another worker tries them again',
  },
  { what: 'the minter', bound: ['pomerium/minter-client.ts#TIMEOUT_MS'], after: '`MINTER_REFUSED`, which is tried again' },
  { what: 'Pomerium’s ConfigService (accounts)', bound: ['pomerium/config-service.ts#TIMEOUT_MS'], after: '`GATEWAY_UNREACHABLE`' },
  {
    what: 'the keys of Pomerium’s assertions (JWKS)',
    bound: ['http/identity.ts#KEYS_TIMEOUT_MS'],
    after: '`GATEWAY_UNREACHABLE` to the caller',
    also: ['app/live/identity.ts'],
  },
  { what: 'a caller of the API: the head of a request', bound: ['app/server.ts#HEADERS_TIMEOUT_MS'], after: 'the connection is closed' },
  {
    what: 'a caller of the API that neither sends nor reads',
    bound: ['app/server.ts#IDLE_TIMEOUT_MS'],
    after:
      'the connection is closed, or after so long again if a part of the answer had passed; a stream of events goes on from its last id',
  },
  { what: 'a run, for a caller that asks for its end', bound: ['api/schemas/run-requests.ts#MAX_WAIT_S'], after: 'the run as it is' },
  {
    what: 'callers, when the process stops',
    bound: ['app/server.ts#CLOSE_TIMEOUT_MS'],
    after: 'their connections are closed',
    also: ['minter/server.ts'],
  },
  { what: 'store and queue, for `/readyz`', bound: ['http/health.ts#TIMEOUT_MS'], after: '503' },
  {
    what: 'one check of `nightshift doctor`',
    bound: ['doctor/check.ts#CHECK_MS'],
    after: 'failed, with its cure',
    also: ['doctor/infrastructure.ts', 'doctor/places.ts', 'doctor/gateway.ts', 'doctor/listen.ts', 'cli/commands/service/doctor.ts'],
  },
  {
    what: 'the embedded Postgres, for `nightshift doctor`',
    bound: ['doctor/examine/examine.ts#EMBEDDED_MS'],
    after: 'failed, with its cure',
  },
  { what: 'the store to close, for the same', bound: ['app/open/examined.ts#CLOSE_MS'], after: 'the command ends without' },
  {
    what: 'a command that does not end in order, after Ctrl-C or SIGTERM',
    bound: ['cli/terminal/ending.ts#GRACE_MS'],
    after: 'it is cut off: 130 or 143',
    also: ['cli/main.ts'],
  },
  { what: 'a model, for `nightshift doctor --spend`', bound: ['doctor/model.ts#MODEL_MS'], after: 'failed, with its cure' },
  {
    what: 'a hosted provider that is asked whether it goes to servers, for the same',
    bound: ['doctor/hosted.ts#HOSTED_MS'],
    after: 'failed, with its cure',
    also: ['models/openai/hosted/probe.ts'],
  },
  {
    what: 'store and standard error, for the last words of a blocked process',
    bound: ['app/watchdog/thread.ts#LAST_MS'],
    after: 'it is ended without',
  },
  {
    what: 'a person who is to connect a server, for `nightshift connect`',
    bound: ['cli/commands/access/connect.ts#TIMEOUT_MS'],
    after: 'the command ends; the link stays good',
  },
  // prettier-ignore
  { what: 'an author’s MCP server, to answer `initialize`, for `nightshift dev` and `nightshift test`', bound: ['dev/look.ts#ANSWER_MS'], after: '`COMMAND_INVALID`, with its cure; after a few seconds it is said that it is waited for' },
  {
    what: 'npm, that packs a checkout for `nightshift init`',
    bound: ['cli/commands/setup/own-package.ts#PACK_MS'],
    after: '`COMMAND_INVALID`, with its cure',
  },
  {
    what: 'the store, for results that are kept: compressed, unpacked, and read one after the other',
    bound: ['a few are worked on at a time, each of a size that has an end (`limits.keptBytes`)'],
    after: 'as any other write, or question, that a promise rests on',
    also: ['store/contents.ts', 'agent/turn.ts'],
  },
  {
    what: 'the kernel, for an address or a socket',
    bound: ['it answers at once'],
    after: 'the address is taken, or there is nobody',
    also: ['minter/socket.ts', 'eval/cases/fixtures.ts'],
  },
  {
    what: 'a program that unpacks an earlier file of the log',
    bound: ['audit/log/unpacked.ts#UNPACK_MS'],
    after: 'it is ended, and the file counts as none',
  },
  {
    what: 'a log that is followed, or piped into `audit import` or `audit follow`',
    bound: ['without end'],
    after: 'a signal ends it; nothing else is done by this process',
    also: ['audit/log/import.ts', 'audit/log/follow.ts', 'audit/log/stream.ts', 'audit/log/reader.ts', 'audit/log/rotated.ts'],
  },
  {
    what: 'what a person watches: `run --follow`, `logs`, `watch`, the demo, the events of a run',
    bound: ['until the run ends'],
    after: 'a signal ends it',
    also: [
      'cli/commands/runs/follow.ts',
      'cli/commands/runs/logs.ts',
      'cli/commands/runs/watch.ts',
      'cli/commands/setup/demo.ts',
      'cli/commands/service/start.ts',
      'cli/commands/service/minter.ts',
      'api/routes/events.ts',
    ],
  },
]

/** The files below `src/` of a row. */
export const filesOf = ({ bound, also = [] }: WaitRow): string[] => [
  ...bound.flatMap((one) => (one.includes('#') ? [one.slice(0, one.indexOf('#'))] : [])),
  ...also,
]

const UNITS: [string, number][] = [['h', 3_600_000], ['min', 60_000], ['s', 1000], ['ms', 1]] // prettier-ignore

/** 90 000 as `90 s`: in the largest unit that needs no fraction, and minutes only for whole ones. */
function duration(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => ms >= each && ms % each === 0) ?? ['ms', 1]
  return `${ms / size} ${unit}`
}

/** The value of a constant as the file has it, in ms. Throws when it is not there. */
function constantMs(file: string, name: string): number {
  const [object, field] = name.includes('.') ? name.split('.') : [name]
  const text = readFileSync(join(SRC, file), 'utf8')
  const line = new RegExp(`const ${object}\\b[^=\\n]*= (.*)`).exec(text)?.[1] ?? ''
  const value = field === undefined ? line : (new RegExp(`${field}: ([\\d_ *]+)`).exec(line)?.[1] ?? '')
  if (!/^[\d_ *]+$/.test(value)) throw new Error(`src/${file} has no ${name} with a number`)
  const product = value.split('*').reduce((sum, factor) => sum * Number(factor.replaceAll('_', '')), 1)
  return name.endsWith('_S') ? product * 1000 : product
}

/** How long a row waits at most, in ms. What the code leaves to the configuration or to a job stands in `settings`. Throws for a row that is not there. */
export function longestMs(what: string, settings: Readonly<Record<string, number>>): number {
  const row = WAITS.find((one) => one.what === what)
  if (!row) throw new Error(`there is no wait for ${what}`)
  return row.bound.reduce((sum, bound) => {
    const [file, name] = bound.split('#')
    const ms = settings[bound] ?? (file !== undefined && name !== undefined ? constantMs(file, name) : Number.NaN)
    if (Number.isNaN(ms)) throw new Error(`nothing says how long ${bound} is`)
    return sum + ms
  }, 0)
}

const KEYS = { config: keysOf(configSchema), job: keysOf(jobSchema) }

function keyBound(kind: 'config' | 'job', name: string): string {
  const found = KEYS[kind].find(({ key }) => key === name)
  if (!found) throw new Error(`there is no key ${name} in a ${kind} file`)
  return `\`${name}\`${kind === 'job' ? ' of the job' : ''}${found.default === '' ? '' : ` (${found.default.replaceAll('`', '')})`}`
}

/** How long, and where that is set. */
function showBound(bound: string): { long: string; set: string } {
  if (bound.startsWith('config ')) return { long: keyBound('config', bound.slice(7)), set: 'the configuration' }
  if (bound.startsWith('job ')) return { long: keyBound('job', bound.slice(4)), set: 'the job file' }
  const [file, name] = bound.split('#')
  if (file === undefined || name === undefined) return { long: bound, set: '' }
  return { long: duration(constantMs(file, name)), set: `\`${file}\` ${name}` }
}

/** The cells of a row, in the order of the table. */
export function cellsOf(row: WaitRow): string[] {
  const shown = row.bound.map(showBound)
  return [row.what, shown.map(({ long }) => long).join(', '), row.after, [...new Set(shown.map(({ set }) => set))].join(', ')]
}
