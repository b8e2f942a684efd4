// The house as lint rules: which room may import which, and where SQL stands. ARCHITECTURE.md has the same table in words.
import { dirname, join, relative, resolve, sep } from 'node:path'

const SRC = resolve(import.meta.dirname, '../../src')

const WORDS = ['core', 'lib']
const LEAVES = ['store', 'pomerium', 'mcp', 'models', 'jobs', 'config', 'delivery/destinations']
const OPERATIONS = ['runs', 'eval', 'schedules', 'waiting', 'delivery', 'audit', 'accounts', 'doctor', 'minter', 'telemetry']

/** What each room may import beside itself. A room that is not named here may not exist. */
const ARROWS = {
  cli: ['app', ...OPERATIONS, 'dev', 'config', 'delivery/destinations', 'demo', ...WORDS],
  api: ['http', ...OPERATIONS, ...WORDS],
  http: WORDS,
  app: ['api', 'http', 'queue', 'agent', 'dev', ...OPERATIONS, ...LEAVES, ...WORDS],

  queue: ['runs', 'store', ...WORDS],
  schedules: ['runs', 'jobs', 'store', ...WORDS],
  telemetry: ['runs', 'store', ...WORDS],
  runs: ['delivery', 'delivery/destinations', 'waiting', 'agent', 'jobs', 'models', 'pomerium', 'mcp', 'store', ...WORDS],
  eval: ['runs', 'jobs', ...WORDS],
  waiting: ['pomerium', 'store', ...WORDS],
  delivery: ['delivery/destinations', 'store', ...WORDS],
  // A leaf by itself: job files and the configuration read their formats from it, and it sends.
  'delivery/destinations': WORDS,
  audit: ['pomerium', 'store', ...WORDS],
  accounts: ['pomerium', 'store', ...WORDS],
  doctor: ['config', 'jobs', 'mcp', 'models', 'pomerium', 'store', ...WORDS],
  minter: ['pomerium', ...WORDS],

  dev: ['runs', 'config', 'demo', 'jobs', 'models', ...WORDS],

  agent: ['models', ...WORDS],
  store: WORDS,
  pomerium: WORDS,
  mcp: WORDS,
  models: WORDS,
  jobs: ['delivery/destinations', ...WORDS],
  config: ['delivery/destinations', ...WORDS],

  core: ['lib'],
  lib: [],
  demo: [],
}

/** Why each room exists. ARCHITECTURE.md prints it with the arrows: npm run generate. */
const PURPOSES = {
  cli: 'face: a file for each command; what it prints, and its exit code',
  api: 'face: the HTTP routes, their schemas, the OpenAPI document',
  http: 'what a web face needs: identity, bodies, problems, health; it knows no route',
  app: 'wiring: builds everything from the configuration, starts it, stops it in order',
  queue: 'BullMQ, and nothing else has it: backend, producer, worker, sweep',
  schedules: 'cron expressions and time zones, the scheduler, backfill',
  telemetry: 'metrics: subscribes to the progress of runs; nothing calls it',
  runs: 'operations on runs: create, execute an attempt, settle it, retry, cancel',
  eval: 'cases of a job with their truth: runs them by models and prompts that are compared, without delivering or changing anything',
  waiting: 'what a run waits for, and what wakes it',
  delivery: 'the outbox of reports',
  'delivery/destinations': 'a file for each destination: its configuration, its entry in a job file, how it sends',
  audit: 'reads Pomerium’s log, joins it with runs, raises alarms; evidence and checkpoints',
  accounts: 'service accounts: create, list, rotate, delete',
  doctor: 'checks of everything that runs need, each with its cure',
  minter: 'the process that makes accounts for single runs; with `account`, the only code that has Pomerium’s shared secret',
  dev: 'what an author tries a job with: their servers behind the stand-in gateway, the echo model, recorded answers of a model',
  agent: 'the conversation with the model: the loop, limits, replay; hosted delegation',
  store: 'SQL, and nothing else has any: a folder for each subject, migrations, the embedded Postgres',
  pomerium: 'the gateway fetch: token, ids, caps, what each response means; route list, consent, ConfigService, lines of the log',
  mcp: 'sessions and the tool box; the only room with the MCP SDK',
  models: 'the contract of a model, and a folder for each provider’s API',
  jobs: 'job files: schema, templates, output check, lock files, the registry that reads them again',
  config: 'the configuration file; alone reads the environment',
  core: 'the words as types, the rules as pure functions, the ports',
  lib: 'tools that know nothing of Nightshift: http, YAML, digests, deadlines, polling',
  demo: 'stand-ins: a gateway, a scripted model that calls servers for real, two MCP servers over real data',
}

/** The table as it is meant to be, for ARCHITECTURE.md. */
export const ROOMS = Object.entries(ARROWS).map(([room, imports]) => ({ room, purpose: PURPOSES[room], imports: [...imports] }))

/** Who alone may import a library. */
const OWNERS = {
  openai: ['models', 'agent', 'demo'],
  '@anthropic-ai/sdk': ['models', 'demo'],
  '@modelcontextprotocol/sdk': ['mcp', 'demo'],
  bullmq: ['queue'],
  pg: ['store', 'queue'],
  'pg-copy-streams': ['store'],
}

const roomOf = (file) => {
  const path = relative(SRC, file)
  if (path.startsWith('..') || !path.includes(sep)) return undefined
  const [room, inner] = path.split(sep)
  return `${room}/${inner}` in ARROWS ? `${room}/${inner}` : room
}

/** Calls `check` with the text of each import, in whatever form it is written. */
function onImports(check) {
  const visit = (node) => {
    if (typeof node.source?.value === 'string') check(node, node.source.value)
  }
  return { ImportDeclaration: visit, ExportNamedDeclaration: visit, ExportAllDeclaration: visit, ImportExpression: visit }
}

const arrows = {
  create(context) {
    const room = roomOf(context.filename)
    if (!room) return {}
    const allowed = ARROWS[room]
    return onImports((node, source) => {
      if (!allowed) return context.report({ node, message: `The room ${room} is not in the table of arrows (scripts/lint/house.js).` })
      if (source.startsWith('.')) {
        const target = roomOf(join(dirname(context.filename), source))
        if (!target || (target !== room && !allowed.includes(target)))
          context.report({
            node,
            message: `${room} may not import ${target ?? 'what is outside of the rooms'}; it may import ${allowed.join(', ') || 'nothing of ours'}.`,
          })
        return
      }
      for (const [library, owners] of Object.entries(OWNERS))
        if ((source === library || source.startsWith(`${library}/`)) && !owners.includes(room))
          context.report({ node, message: `Only ${owners.join(' and ')} may import ${library}.` })
    })
  },
}

const sqlInStore = {
  create(context) {
    const room = roomOf(context.filename)
    if (!room || room === 'store' || room === 'demo') return {}
    return onImports((node, source) => {
      if (!/(^|\/)store\/postgres\/db\.ts$/.test(source) || node.importKind === 'type') return
      for (const { imported } of node.specifiers ?? [])
        if (imported?.name === 'query' || imported?.name === 'transaction')
          context.report({ node, message: 'SQL stands under store/ and nowhere else: give the statement a function there.' })
    })
  },
}

const called = (node, name) =>
  node?.type === 'CallExpression' && node.callee.type === 'MemberExpression' && node.callee.property.name === name

/** A time that stands for a moment to others: a date, or what is compared with one. */
function isMoment(node) {
  const { parent } = node
  if (parent.type === 'BinaryExpression') {
    const other = parent.left === node ? parent.right : parent.left
    return called(other, 'parse') || called(other, 'getTime') || isMoment(parent)
  }
  return parent.type === 'NewExpression' || parent.type === 'AssignmentPattern'
}

/** The wall clock is set, by people and by NTP: what is measured by it ends at once, or an hour late. */
const steadyClock = {
  create(context) {
    const room = roomOf(context.filename)
    if (!room || room === 'demo') return {}
    return {
      CallExpression(node) {
        if (node.callee.type !== 'MemberExpression' || node.callee.object.name !== 'Date' || node.callee.property.name !== 'now') return
        if (isMoment(node)) return
        context.report({ node, message: 'A duration is measured with performance.now(): the wall clock may be set meanwhile.' })
      },
    }
  },
}

/** Who may read JSON otherwise than by `lib/json/parse.ts`, each with whose text it is. */
export const OWN_JSON = {
  'lib/json/parse.ts': 'it reads the JSON of all others',
  'lib/json/find.ts': 'whether a text is JSON',
  'lib/json/fit.ts': 'to be checked by a schema; what goes on is the text',
  'lib/json/mend.ts': 'whether a text is JSON',
  'lib/json/well-formed.ts': 'a value that was parsed, written by itself',
  'lib/version.ts': 'our package.json',
  'app/watchdog/board.ts': 'memory of this process',
  'audit/evidence/memory.ts': 'a file of ours, of texts and small numbers',
  'cli/commands/eval/progress.ts': 'lines of our own log',
  'mcp/session/fetch.ts': 'a request of ours, of which the id is read',
  'store/postgres/embedded/binaries.ts': 'a package that we depend on',
  'store/postgres/embedded/cluster.ts': 'a file of ours',
  'store/postgres/embedded/libraries.ts': 'a package that we depend on',
}

/** Plain JSON.parse makes another number of an integer above 2^53, and nobody hears of it. */
const foreignJson = {
  create(context) {
    const room = roomOf(context.filename)
    if (!room || room === 'demo' || relative(SRC, context.filename) in OWN_JSON) return {}
    const message =
      'JSON of others is read by lib/json/parse.ts, which keeps or refuses numbers that no double holds; own text has a line in OWN_JSON (scripts/lint/house.js).'
    return {
      MemberExpression(node) {
        if (node.object.name === 'JSON' && (node.property.name === 'parse' || node.property.value === 'parse'))
          context.report({ node, message })
      },
      CallExpression(node) {
        if (node.callee.type === 'MemberExpression' && node.callee.property.name === 'json' && node.arguments.length === 0)
          context.report({ node, message })
      },
    }
  },
}

export default {
  meta: { name: 'house' },
  rules: { arrows, 'sql-in-store': sqlInStore, 'steady-clock': steadyClock, 'foreign-json': foreignJson },
}
