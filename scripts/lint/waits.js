// Everything that we wait for outside of this process has a bound where it is asked. What is bounded elsewhere, or is to be waited for without end, says so
// beside its exception. ARCHITECTURE.md has the table (scripts/waits.ts).
import { relative, resolve, sep } from 'node:path'

const SRC = resolve(import.meta.dirname, '../../src')

const FETCHES = new Set(['fetch', 'fetchLean', 'undiciFetch'])
/** Namespaces under which Node's own clients and programs are imported. */
const HTTP = new Set(['http', 'https', 'undici'])
const CHILDREN = new Set(['child', 'childProcess', 'child_process', 'cp'])
/** What is imported under a name of its own, or under one that others have too. */
const UNBOUNDED = new Set([
  ...['request', 'stream', 'pipeline', 'connect'].map((name) => `undici ${name}`),
  ...['node:http', 'node:https'].flatMap((from) => ['request', 'get'].map((name) => `${from} ${name}`)),
  ...['node:dns', 'node:dns/promises'].flatMap((from) => ['lookup', 'resolve'].map((name) => `${from} ${name}`)),
])
/** Each waits for the end of a stream. */
const STREAMS = new Set(['pipeline', 'finished'])
const PROGRAMS = new Set(['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'])
/** Of BullMQ: each asks the queue, which may be frozen. */
const QUEUE = new Set(['addBulk', 'moveToDelayed', 'waitUntilReady', 'obliterate', 'getJobs', 'getJobCounts'])
/** The same with names that others have too: of what is called a queue. */
const OF_QUEUE = new Set(['add', 'getJob', 'remove', 'pause', 'resume', 'drain', 'clean', 'close'])
/** Of a provider's client. */
const MODEL = new Set(['create', 'retrieve', 'cancel', 'list'])
const POOLS = new Set(['db', 'pool', 'client', 'keeper'])
/** What gives its work a bound. */
const BOUNDS = new Set(['within', 'race', 'asked'])

const nameOf = ({ callee }) =>
  callee.type === 'Identifier' ? callee.name : callee.type === 'MemberExpression' ? callee.property.name : undefined

const rootOf = (node) => (node.type === 'MemberExpression' ? rootOf(node.object) : node.type === 'Identifier' ? node.name : undefined)

/** True when a node below these is as it is wanted. */
function holds(value, isWanted) {
  if (Array.isArray(value)) return value.some((one) => holds(one, isWanted))
  if (typeof value !== 'object' || value === null || typeof value.type !== 'string') return false
  return isWanted(value) || Object.entries(value).some(([key, child]) => key !== 'parent' && holds(child, isWanted))
}

const isCall = (node, ...names) => node.type === 'CallExpression' && names.includes(nameOf(node))
const isTimer = (node) => isCall(node, 'setTimeout')

/** True when one of these names is written in what a call is given, as a key or as a function that is called for it. */
const isGiven = (args, ...names) =>
  holds(args, (node) => (node.type === 'Property' && names.includes(node.key.name)) || isCall(node, ...names))

/** A race of which nobody is sure to come in is no bound: one of those that run has to be a clock, or what was given as an end. */
const isTimed = (race) =>
  nameOf(race) !== 'race' || holds(race.arguments, (node) => isCall(node, 'sleep', 'setTimeout', 'late') || isEnd(node))
const isEnd = (node) => node.type === 'Identifier' && /^(late|ended|aborted|timeout)$/.test(node.name)

/** True when the wait is itself what `within` or `Promise.race` are given, in the same function. */
function isRaced({ parent }) {
  if (!parent || /Function/.test(parent.type)) return false
  return (parent.type === 'CallExpression' && BOUNDS.has(nameOf(parent)) && isTimed(parent)) || isRaced(parent)
}

/** `execFile = promisify(child.execFile)`: calls of it are known by the name. */
const isNamedAlike = ({ arguments: [made], parent }) => parent.type === 'VariableDeclarator' && parent.id.name === made.property?.name

/** What a call waits for, and whether it says how long. Undefined for one that waits for nothing of others. */
function waitOfCall(node, room) {
  const name = nameOf(node)
  const { callee, arguments: args } = node
  const isPlain = callee.type === 'Identifier'
  if (FETCHES.has(name) && (isPlain || name === 'fetch'))
    return { what: 'an HTTP request', needs: 'a signal', bounded: isGiven(args, 'signal') }
  if (HTTP.has(rootOf(callee)) && ['request', 'get'].includes(name))
    return { what: 'an HTTP request', needs: 'a signal', bounded: isGiven(args, 'signal') }
  // One that is given a function waits for nothing.
  if (STREAMS.has(name) && isPlain && !/Function/.test(args.at(-1)?.type))
    return { what: 'the end of a stream', needs: 'a signal', bounded: isGiven(args, 'signal') }
  if (name === 'fromAsync')
    return { what: 'the end of a stream', needs: 'a signal in the call that gives it', bounded: isGiven(args, 'signal') }
  if (name === 'on' && isPlain && args.length > 1) return { what: 'events', needs: 'a signal', bounded: isGiven(args.slice(2), 'signal') }
  if (name === 'wait' && rootOf(callee) === 'Atomics') return { what: 'another thread', needs: 'a time-out', bounded: args.length > 3 }
  if (PROGRAMS.has(name) && (isPlain || CHILDREN.has(rootOf(callee))))
    return { what: 'a program', needs: 'a timeout or a signal', bounded: isGiven(args, 'timeout', 'signal') }
  if (name === 'once' && isPlain && args.length > 1)
    // The end of the command itself, which a person decides.
    return { what: 'an event', needs: 'a signal', bounded: args[1].value === 'abort' || isGiven(args.slice(2), 'signal') }
  if (name === 'promisify') return { what: 'a program', needs: 'the name of what it makes a promise of', bounded: isNamedAlike(node) }
  if (name === 'withResolvers') return { what: 'a promise that others settle', needs: 'within() or Promise.race()', bounded: isRaced(node) }
  if (isPlain) return undefined
  if (QUEUE.has(name) || (OF_QUEUE.has(name) && rootOf(callee.object) === 'queue'))
    return { what: 'the queue', needs: 'within() or Promise.race()', bounded: isRaced(node) }
  if (name === 'query' && room !== 'store' && POOLS.has(rootOf(callee.object)))
    return { what: 'Postgres', needs: 'query() of store/postgres/db.ts', bounded: false }
  if (room === 'models' && MODEL.has(name) && rootOf(callee.object) === 'client')
    return { what: 'a model provider', needs: 'a signal or a timeout', bounded: isGiven(args, 'signal', 'timeout') }
  return undefined
}

function waitOfNew({ callee, arguments: args }, node) {
  const name = callee.type === 'MemberExpression' ? `${callee.object.name}.${callee.property.name}` : callee.name
  if (name === 'Promise')
    return holds(args, isTimer)
      ? undefined
      : { what: 'a promise that others settle', needs: 'within() or Promise.race()', bounded: isRaced(node) }
  if (name === 'Redis') return { what: 'Redis', needs: 'a commandTimeout', bounded: isGiven(args, 'commandTimeout') }
  if (name === 'pg.Pool' || name === 'pg.Client')
    return {
      what: 'Postgres',
      needs: 'connectionTo(), or a query_timeout',
      bounded: isGiven(args, 'connectionTo', 'query_timeout'),
    }
  return undefined
}

/**
 * What a node of the syntax tree of a file in `room` waits for (`what`), what would bound it (`needs`), and whether it is bounded there. Undefined for a node that
 * waits for nothing outside of this process. Nodes know their parents.
 */
export function waitOf(node, room) {
  switch (node.type) {
    case 'CallExpression':
      return waitOfCall(node, room)
    case 'NewExpression':
      return waitOfNew(node, node)
    case 'ImportSpecifier':
      return UNBOUNDED.has(`${node.parent.source.value} ${node.imported.name}`)
        ? { what: 'an HTTP request or a name', needs: 'fetch with a signal', bounded: false }
        : undefined
    case 'ForOfStatement':
      return node.await
        ? {
            what: 'the end of a stream',
            needs: 'a signal in the call that gives it',
            bounded: node.right.type === 'CallExpression' && isGiven(node.right.arguments, 'signal'),
          }
        : undefined
    default:
      return undefined
  }
}

const bounded = {
  create(context) {
    const path = relative(SRC, context.filename)
    const room = path.split(sep)[0]
    if (path.startsWith('..') || room === 'demo') return {}
    const look = (node) => {
      const wait = waitOf(node, room)
      if (wait && !wait.bounded)
        context.report({
          node,
          message: `This waits for ${wait.what} without a bound: give it ${wait.needs}, or say beside an exception what bounds it. The table of waits is scripts/waits.ts.`,
        })
    }
    return { CallExpression: look, NewExpression: look, ForOfStatement: look, ImportSpecifier: look }
  },
}

export default { meta: { name: 'waits' }, rules: { bounded } }
