import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from 'oxc-parser'
import { describe, expect, test } from 'vitest'
import { waitOf, type Wait } from '../scripts/lint/waits.js'
import { cellsOf, filesOf, WAITS } from '../scripts/waits.ts'

const SRC = join(import.meta.dirname, '../src')

const isNode = (value: unknown): value is object => typeof value === 'object' && value !== null && 'type' in value

/** Each wait in a text of TypeScript. Nodes are told their parents, as lint does it. */
function waitsIn(file: string, text: string): Wait[] {
  const found: Wait[] = []
  const visit = (node: object, parent: object | undefined): void => {
    Object.defineProperty(node, 'parent', { value: parent, enumerable: false })
    for (const [key, child] of Object.entries(node))
      if (key !== 'parent') for (const one of [child].flat()) if (isNode(one)) visit(one, node)
    const wait = waitOf(node, file.split('/')[0] ?? '')
    if (wait) found.push(wait)
  }
  visit(parseSync(file, text).program, undefined)
  return found
}

describe('the rule finds', () => {
  test.each([
    ['a request', "await fetch(url, { method: 'POST' })"],
    ['a request by a function that was given', 'await options.fetch(url)'],
    ['a program', "await execFile('initdb', [], { cwd })"],
    ['a program by another name', 'const run = promisify(execFile)'],
    ['an event', "await once(server, 'close')"],
    ['an event that somebody else is to tell', "await new Promise((done) => socket.once('connect', done))"],
    ['a promise that somebody else settles', 'const { promise } = Promise.withResolvers()'],
    ['the queue', 'await queue.addBulk(jobs)'],
    ['the queue, for a later moment', 'await job.moveToDelayed(at, token)'],
    ['the queue, inside of a function that is bounded elsewhere', 'within(5, run(() => queue.addBulk(jobs)), late)'],
    ['Postgres without the options of the store', "await db.query('select 1')"],
    ['a pool without bounds', 'new pg.Pool({ connectionString: url })'],
    ['Redis without bounds', 'new Redis(url, { connectTimeout: 5 })'],
    ['a stream', 'for await (const chunk of body) read(chunk)'],
    ['a request by the client of undici', "import { request } from 'undici'"],
    ['a name', "import { lookup as find } from 'node:dns/promises'"],
    ['a request by the client of Node', 'https.get(url, (answer) => read(answer))'],
    ['a program by its namespace', "childProcess.execFileSync('initdb')"],
    ['one run in the queue', "await queue.add('run', data)"],
    ['the queue to close', 'await queue.close()'],
    ['the queue in a race that nobody is sure to win', 'await Promise.race([queue.addBulk(jobs), other])'],
    ['a stream that is piped', 'await pipeline(from, to)'],
    ['a stream that is gathered', 'await Array.fromAsync(body)'],
    ['events', "for await (const [one] of on(socket, 'data')) read(one)"],
    ['a thread', 'Atomics.wait(cells, 0, 0)'],
  ])('%s', (_, text) => {
    expect(waitsIn('runs/x.ts', text)).toContainEqual(expect.objectContaining({ bounded: false }))
  })

  test('a model’s answer', () => {
    expect(waitsIn('models/x.ts', 'await client.responses.create(body)')).toMatchObject([{ bounded: false }])
  })
})

test.each([
  "await fetch(url, { method: 'POST', signal })",
  'await fetch(url, init, { signal: ended })',
  "await execFile('initdb', [], { timeout: 5 })",
  "await once(server, 'close', { signal })",
  "await once(terminal.signal, 'abort')",
  'await within(5, queue.addBulk(jobs), late)',
  'await Promise.race([new Promise((done) => write(2, text, done)), sleep(5)])',
  'await new Promise((done) => setTimeout(done, 5))',
  'new pg.Pool({ ...connectionTo(url), max: 1 })',
  'new Redis(url, { commandTimeout: 5 })',
  'for await (const one of follow(db, { signal })) tell(one)',
  'for (const one of all) tell(one)',
  'await Promise.race([queue.addBulk(jobs), sleep(5)])',
  "import { Agent, fetch } from 'undici'",
  'pipeline(from, to, () => {})',
  'await pipeline(from, to, { signal })',
  'Atomics.wait(cells, 0, 0, 5)',
])('the rule lets pass: %s', (text) => {
  expect(waitsIn('runs/x.ts', text).filter(({ bounded }) => !bounded)).toEqual([])
})

test('each file that waits for something outside of the process is in the table of waits', () => {
  const named = new Set(WAITS.flatMap(filesOf))
  const waiting = globSync('**/*.ts', { cwd: SRC, exclude: ['demo/**'] }).filter(
    (file) => waitsIn(file, readFileSync(join(SRC, file), 'utf8')).length > 0,
  )
  expect(waiting.length).toBeGreaterThan(30)
  expect(waiting.filter((file) => !named.has(file)).toSorted()).toEqual([])
})

test('the table names no file that is gone, and each row says how long and what then', () => {
  const there = new Set(globSync('**/*.ts', { cwd: SRC }))
  expect(WAITS.flatMap(filesOf).filter((file) => !there.has(file))).toEqual([])
  for (const row of WAITS) expect(cellsOf(row).slice(0, 3)).not.toContain('')
})
