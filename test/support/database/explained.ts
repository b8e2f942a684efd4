import type pg from 'pg'
import { z } from 'zod'
import type { AttemptRef } from '../../../src/core/run.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import type { At } from './store-calls.ts'

const planSchema = z.tuple([
  z.object({
    'QUERY PLAN': z.tuple([
      z.object({
        Plan: z.looseObject({ 'Shared Hit Blocks': z.number(), 'Shared Read Blocks': z.number() }),
        'Execution Time': z.number(),
      }),
    ]),
  }),
])

/** What one statement took: pages of 8 KB, and milliseconds. */
export interface Touched {
  pages: number
  ms: number
  text: string
}

/** Runs `work` in a transaction that is undone, and explains each statement before it is run. */
export async function explained(pool: Db, work: (at: At) => Promise<unknown>): Promise<Touched[]> {
  const touched: Touched[] = []
  const client = await pool.connect()
  const ask = async (statement: string | pg.QueryConfig, parameters: unknown[] = []) => {
    const { text, values = parameters, types } = typeof statement === 'string' ? { text: statement } : statement
    if (/^\s*(begin|commit|rollback)/i.test(text)) return { rows: [], rowCount: 0 }
    if (/^[\s(]*(select|with|insert|update|delete)/i.test(text)) {
      await client.query('savepoint explaining')
      const { rows } = await client.query(`explain (analyze, buffers, timing off, format json) ${text}`, values)
      await client.query('rollback to savepoint explaining')
      const [row] = planSchema.parse(rows)
      const { Plan, 'Execution Time': ms } = row['QUERY PLAN'][0]
      touched.push({ pages: Plan['Shared Hit Blocks'] + Plan['Shared Read Blocks'], ms, text })
    }
    return client.query({ text, values, ...(types && { types }) })
  }
  const through = <T extends object>(target: T, instead: Record<string, unknown>): T =>
    new Proxy(target, {
      get: (_, name) => (typeof name === 'string' && name in instead ? instead[name] : Reflect.get(target, name, target)),
    })
  const session = through(client, { query: ask, release: () => {}, on: () => {}, off: () => {} })
  const db = through(pool, { query: ask, connect: async () => session })
  try {
    await client.query('begin')
    const [attempt] = await query<AttemptRef & { number: number }>(
      client,
      'select run_id as "runId", number, token from attempts where finished_at is null limit 1',
    )
    if (!attempt) throw new Error('no attempt is open')
    await work({ db, client: session, attempt })
  } finally {
    await client.query('rollback')
    client.release()
  }
  return touched
}
