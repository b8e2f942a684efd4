import pg from 'pg'
import { fromHereAlone } from '../session.ts'
import type { Settings } from './cluster.ts'
import type { Door } from './socket.ts'

/** Who Nightshift is in its database: the owner of that, and no superuser. */
const ROLE = 'nightshift'
const DATABASE = 'nightshift'
/** Who makes role and database, and is asked for nothing else. */
const SUPERUSER = 'postgres'
/** SQLSTATE of a role or password that is not as we know it (28) and of a database that is not there. */
const LACKING = /^(28|3D000)/

export const urlOf = ({ host, port }: Door, { rolePassword }: Settings): string =>
  `postgres://${ROLE}:${rolePassword}@${encodeURIComponent(host)}:${port}/${DATABASE}`

/**
 * Lets Nightshift's role into its database. What is missing of both is made, also in a cluster of an earlier version, where the superuser owned everything.
 * Returns why the server did not let us; undefined when we are in.
 */
export async function openAccess(door: Door, settings: Settings, answerMs: number): Promise<unknown> {
  const as = (user: string, password: string, database: string) => ({ ...door, user, password, database, answerMs })
  const refusal = await tryAs(as(ROLE, settings.rolePassword, DATABASE), async () => {})
  if (!(refusal instanceof pg.DatabaseError) || !LACKING.test(refusal.code ?? '')) return refusal
  return (
    (await tryAs(as(SUPERUSER, settings.password, 'postgres'), makeDatabase)) ??
    (await tryAs(as(SUPERUSER, settings.password, DATABASE), async (client) => {
      await client.query(GIVE)
      // Last: once the role can log in, nothing is looked at again.
      await client.query(`alter role ${ROLE} login password ${client.escapeLiteral(settings.rolePassword)}`)
    }))
  )
}

interface Login extends Door {
  user: string
  password: string
  database: string
  answerMs: number
}

async function tryAs({ answerMs, ...login }: Login, work: (client: pg.Client) => Promise<void>): Promise<unknown> {
  const client = new pg.Client({ ...fromHereAlone, ...login, connectionTimeoutMillis: answerMs, query_timeout: answerMs })
  client.on('error', () => {})
  try {
    await client.connect()
    await work(client)
    return undefined
  } catch (error) {
    return error
  } finally {
    await client.end().catch(() => {})
  }
}

async function makeDatabase(client: pg.Client): Promise<void> {
  const roles = await client.query('select 1 from pg_roles where rolname = $1', [ROLE])
  if (!roles.rowCount) await client.query(`create role ${ROLE} nologin nosuperuser nocreatedb nocreaterole noreplication`)
  const databases = await client.query('select 1 from pg_database where datname = $1', [DATABASE])
  if (!databases.rowCount) await client.query(`create database ${DATABASE} owner ${ROLE}`)
  else await client.query(`alter database ${DATABASE} owner to ${ROLE}`)
}

/** Gives the role what the superuser owns in the database; `reassign owned` refuses that for a superuser whom the cluster was made with. */
const GIVE = `do $$
declare
  own regrole := '${SUPERUSER}';
  one record;
begin
  for one in select nspname from pg_namespace where nspowner = own and nspname !~ '^pg_' and nspname <> 'information_schema' loop
    execute format('alter schema %I owner to ${ROLE}', one.nspname);
  end loop;
  for one in select c.oid, c.relkind from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relowner = own and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      order by c.relkind = 'S', c.oid loop
    -- A sequence of a column goes with its table.
    if exists (select from pg_class where oid = one.oid and relowner = own) then
      execute format('alter %s %s owner to ${ROLE}', case one.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end, one.oid::regclass);
    end if;
  end loop;
  for one in select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where p.proowner = own and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e') loop
    execute format('alter routine %s owner to ${ROLE}', one.oid::regprocedure);
  end loop;
  for one in select t.oid from pg_type t join pg_namespace n on n.oid = t.typnamespace
      where t.typowner = own and t.typtype in ('e', 'd', 'r') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      or t.typowner = own and t.typtype = 'c' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c') loop
    execute format('alter type %s owner to ${ROLE}', one.oid::regtype);
  end loop;
end
$$`
