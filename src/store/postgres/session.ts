import type pg from 'pg'
import { Failure } from '../../core/failure.ts'

/** What a session needs, whatever the defaults of the server, the database and the role are: as startup options. */
export const SESSION_OPTIONS: string = Object.entries({
  timezone: 'UTC',
  datestyle: 'ISO',
  intervalstyle: 'postgres',
  default_transaction_isolation: 'read committed',
  standard_conforming_strings: 'on',
})
  .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`)
  .join(' ')

/** What pg would take from PG… variables of the environment, beside where to and as whom: said, so that it asks none. For our own Postgres, on its socket. */
export const fromHereAlone = {
  ssl: false,
  sslnegotiation: 'postgres',
  application_name: 'nightshift',
  client_encoding: 'UTF8',
  options: SESSION_OPTIONS,
} as const satisfies pg.ClientConfig

const POOLER = 'between us and Postgres stands a pooler that takes no startup options, such as PgBouncer in transaction mode'

/** True when who answers refuses the startup options: a pooler does, and Postgres never. */
export const refusesOptions = (error: unknown): boolean => error instanceof Error && error.message.includes('unsupported startup parameter')

const unsuitable = (why: string, cause?: unknown): Failure =>
  new Failure({ code: 'STORE_UNSUITABLE', message: `The store is not used: ${why}.`, cause })

export const poolerFailure = (cause?: unknown): Failure => unsuitable(POOLER, cause)

/** Looks whether a session is as it was asked for, and the database can hold what we write. `STORE_UNSUITABLE` when not. */
export async function checkSession(client: pg.PoolClient): Promise<void> {
  const { rows } = await client.query<{ encoding: string; zone: string; isolation: string; isUnbounded: boolean }>(
    `select current_setting('server_encoding') as encoding, current_setting('TimeZone') as zone,
       current_setting('default_transaction_isolation') as isolation,
       exists (select 1 from pg_settings
         where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') and setting = '0') as "isUnbounded"`,
  )
  const [session] = rows
  if (!session) return
  const { encoding, zone, isolation, isUnbounded } = session
  if (encoding !== 'UTF8')
    throw unsuitable(
      `the encoding of its database is ${encoding}, which cannot hold every text; create one with: createdb -E UTF8 -T template0`,
    )
  if (isUnbounded || zone !== 'UTC' || isolation !== 'read committed') throw poolerFailure()
}
