// A table of five megabytes through a model that reads eight thousand tokens at once, by a worker that is killed again and again.
import { mkdtempSync, rmSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Turn } from '../../src/demo/model/responses.ts'
import type { Character, Seen } from '../../src/demo/model/seen.ts'
import { startWorld } from '../../src/demo/world.ts'
import { command, program, type Program } from '../support/cli/command.ts'
import { countingRoute, startCountingServer } from '../support/mcp/counting-server.ts'
import { until } from '../support/until.ts'

const WINDOW = 8000
const ROWS = 80_000
/** Each so many rows one is late. */
const LATE_EACH = 25
const READER = 'nightshift__read_result'

const amountOf = (row: number) => (row * 7919) % 1000
const isLate = (row: number) => row % LATE_EACH === 0
const TABLE = Array.from({ length: ROWS }, (_, row) => `${String(row).padStart(6, '0')};${isLate(row) ? 'LATE' : 'paid'};amount=${amountOf(row)};customer and remarks ${row}`).join('\n') // prettier-ignore
const late = Array.from({ length: ROWS }, (_, row) => row).filter(isLate)
const ANSWER = { rows: late.length, sum: late.reduce((sum, row) => sum + amountOf(row), 0) }

interface Progress {
  rows: number
  sum: number
  /** The next read; null: all is read. */
  next: Record<string, unknown> | null
}

const progressSchema = z.object({ rows: z.number(), sum: z.number(), next: z.record(z.string(), z.unknown()).nullable() })

/** What the model wrote down last, of what it still sees of its own words. */
function written({ said }: Seen): Progress {
  const notes = said.flatMap((text) => text.match(/so far \{.*\}/g) ?? [])
  const last = notes.at(-1)
  return last === undefined ? { rows: 0, sum: 0, next: null } : progressSchema.parse(JSON.parse(last.slice('so far '.length)))
}

/** Adds what the page says that it asked for last. */
function readOn(progress: Progress, page: string): Progress {
  const rows = [...page.matchAll(/;LATE;amount=(\d+);/g)]
  const goesOn = /\[It goes on: (\{.*\})\]/.exec(page)
  return {
    rows: progress.rows + rows.length,
    sum: progress.sum + rows.reduce((sum, [, amount]) => sum + Number(amount), 0),
    next: goesOn?.[1] === undefined ? null : z.record(z.string(), z.unknown()).parse(JSON.parse(goesOn[1])),
  }
}

/** Adds up the late rows, page by page, and writes down how far it is before each call, as it cannot see old pages again. */
const accountant =
  (onTurn: (kind: 'begin' | 'read' | 'notes' | 'answer') => void): Character =>
  (seen): Turn => {
    const last = seen.calls.at(-1)
    const before = written(seen)
    const isPage = last?.name === READER && last.result !== '' && before.next !== null
    const now = isPage ? readOn(before, last.result) : before
    const notes = `so far ${JSON.stringify(now)}`
    if (seen.mustAnswer) {
      onTurn('notes')
      return { text: notes, stop: 'end' }
    }
    if (!last && before.next === null) {
      onTurn('begin')
      return { calls: [{ name: 'counting__act', arguments: '{}' }], stop: 'end' }
    }
    const next = isPage || before.next !== null ? now.next : { id: 't1c1', search: ';LATE;' }
    if (next === null) {
      onTurn('answer')
      return { text: JSON.stringify({ rows: now.rows, sum: now.sum }), stop: 'end' }
    }
    onTurn('read')
    return {
      notes: [{ text: `so far ${JSON.stringify({ ...now, next })}`, isMarked: false }],
      calls: [{ name: READER, arguments: JSON.stringify(next) }],
      stop: 'end',
    }
  }

const JOB = `account: reports
model: { provider: openai, name: accountant }
prompt: How many rows of the table are late, and what is the sum of their amounts?
tools: { counting: { allow: [act] } }
output: { schema: { type: object, required: [rows, sum], properties: { rows: { type: integer }, sum: { type: integer } } } }
limits: { turns: 1000, toolCalls: 1000, deadline: 10m }
retry: { attempts: 20, backoff: 1ms }
`

const runSchema = z.looseObject({
  status: z.string(),
  reasons: z.array(z.unknown()),
  output: z.unknown(),
  attempts: z.array(z.looseObject({ number: z.number() })),
  turns: z.array(z.looseObject({ number: z.number() })),
  toolCalls: z.array(z.looseObject({ turn: z.number(), server: z.string(), tool: z.string(), status: z.string() })),
})

test('is added up right, though its worker dies in the middle of reads and of notes', { timeout: 300_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-large-'))
  chmodSync(dir, 0o711)
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  const jobsDir = join(dir, 'jobs')
  mkdirSync(jobsDir)
  writeFileSync(join(jobsDir, 'late.yaml'), JOB)
  const server = stack.use(await startCountingServer(() => TABLE))

  const counts = { begin: 0, read: 0, notes: 0, answer: 0 }
  /** Its worker is killed when the model is asked for the nth of a kind: at once, before it is answered, or a little after. */
  const deaths = new Set(['read 1 before', 'read 2 after', 'read 30 before', 'read 31 after', 'notes 1 before', 'notes 2 after'])
  let worker: Program | undefined
  const kill = () => worker?.child.kill('SIGKILL')
  const world = stack.use(
    await startWorld({
      dir,
      jobsDir,
      scripts: {},
      characters: {
        accountant: accountant((kind) => {
          counts[kind]++
          if (deaths.delete(`${kind} ${counts[kind]} before`)) kill()
          else if (deaths.delete(`${kind} ${counts[kind]} after`)) setTimeout(kill, 15)
        }),
      },
      routes: [countingRoute(server)],
      server: { windows: { accountant: WINDOW } },
      config: { models: { accountant: { windowTokens: WINDOW } }, worker: { lockTimeout: '2s' }, log: { level: 'info' } },
    }),
  )
  const cli = (...args: string[]) => command(['-c', world.configFile, ...args])
  const over = new AbortController()
  let deathsSeen = 0
  /** Starts it again whenever it is dead. */
  const keepAlive = async () => {
    while (!over.signal.aborted) {
      worker = program(['-c', world.configFile, 'start'])
      await worker.ended
      if (!over.signal.aborted) deathsSeen++
    }
  }
  const alive = keepAlive()
  stack.defer(async () => {
    over.abort()
    worker?.child.kill('SIGTERM')
    await alive
  })
  expect(await cli('run', 'late')).toMatchObject({ code: 0, err: expect.stringMatching(/^(It does not start yet: .*)?$/) })
  const run = await until(async () => {
    const { code, out } = await cli('show', 'latest', '--json')
    const shown = code === 0 ? runSchema.parse(JSON.parse(out)) : undefined
    return shown && ['succeeded', 'incomplete', 'failed'].includes(shown.status) ? shown : undefined
  })

  expect(run).toMatchObject({ status: 'succeeded', reasons: [], output: ANSWER })
  expect([...deaths]).toEqual([])
  expect(deathsSeen).toBe(6)
  expect(run.attempts.length).toBeGreaterThan(3)
  // The table was asked for once, though the call may not be repeated; each turn has one row.
  expect(server.effects).toHaveLength(1)
  expect(run.toolCalls.filter((call) => call.server === 'counting')).toMatchObject([{ tool: 'act', status: 'ok' }])
  expect(new Set(run.turns.map(({ number }) => number)).size).toBe(run.turns.length)
  // What was asked twice was asked by a worker that died before it had the answer.
  const asked = world.model.requests.map((request) => JSON.stringify(request).replaceAll(/"attempt":"\d+"/g, ''))
  expect(asked.length - new Set(asked).size).toBeLessThanOrEqual(deathsSeen)
  // No request was longer than the window, and what was shown of the table in all is less than half of it.
  const sizes = world.model.requests.map((request) => JSON.stringify(request).length / 4)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(WINDOW)
  expect(run.toolCalls.length).toBeLessThan(300)
})
