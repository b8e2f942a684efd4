import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { followStream } from '../../../src/audit/log/stream.ts'
import { keepDuty } from '../../../src/lib/time/duty.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { createTestDatabase } from '../../support/database/database.ts'
import { authorizeLine } from '../../support/log/log-lines.ts'

/** A log that another program pipes in. */
async function startStream() {
  await using building = new AsyncDisposableStack()
  const { db } = building.use(await createTestDatabase())
  const input = new PassThrough()
  const stop = new AbortController()
  const said: string[] = []
  const duty = keepDuty('log', 1000)
  const following = followStream({
    db,
    input,
    duty,
    paramsBytes: 0,
    log: pino({ level: 'warn' }, { write: (line) => void said.push(line) }),
    signal: stop.signal,
    onRound: async () => {},
  })
  building.defer(async () => {
    stop.abort()
    await following
  })
  const stack = building.move()
  const kept = async () => (await query<{ n: number }>(db, 'select count(*)::int as n from authorize_events'))[0]?.n
  return { db, input, following, said, duty, kept, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('lines are kept as they come, among other text, and the last one without its newline', async () => {
  await using stream = await startStream()
  stream.input.write(`starting\npomerium-1 | ${authorizeLine()}\n${authorizeLine().slice(0, 50)}`)
  await expect.poll(stream.kept).toBe(1)
  stream.input.end(`\n${authorizeLine()}`)
  await stream.following
  expect(await stream.kept()).toBe(2)
  expect(stream.said.join('')).toContain('has ended')
})

test('lines that the store refuses are kept when it takes them again, and none is doubled', async () => {
  await using stream = await startStream()
  await query(stream.db, 'alter table authorize_events rename to gone')
  const line = authorizeLine()
  stream.input.write(`${line}\n${line}\n${authorizeLine()}\n`)
  await expect.poll(() => stream.said.join('')).toContain('could not be kept')
  expect(stream.duty.state().failures).toBeGreaterThan(0)
  await query(stream.db, 'alter table gone rename to authorize_events')
  await expect.poll(stream.kept).toBe(3)
  stream.input.end()
  await stream.following
  expect(await stream.kept()).toBe(3)
})

test('what is piped in twice is known', async () => {
  await using first = await startStream()
  const text = [authorizeLine(), authorizeLine()].map((line) => `${line}\n`).join('')
  first.input.write(text)
  await expect.poll(first.kept).toBe(2)
  const again = new PassThrough()
  again.end(text)
  await followStream({
    db: first.db,
    input: again,
    duty: keepDuty('log', 1000),
    paramsBytes: 0,
    log: pino({ level: 'silent' }),
    signal: new AbortController().signal,
    onRound: async () => {},
  })
  expect(await first.kept()).toBe(2)
})
