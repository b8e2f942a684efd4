import { query, type Db } from '../../../src/store/postgres/db.ts'

/** A job that calls nothing and says one thing, with this under deliver:. */
export const deliveringJob = (deliver: string) => `
account: reports
contract: none
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  labor: { allow: [query], required: false }
retry: { attempts: 1 }
deliver: ${deliver}
`

/** More reports of a run, all to one place and due. */
export const addDeliveries = (db: Db, runId: string, target: object, count: number) =>
  query(
    db,
    'insert into deliveries (id, run_id, attempt, target, created_at) select gen_random_uuid(), $1, 1, $2, now() from generate_series(1, $3)',
    [runId, JSON.stringify(target), count],
  )
