import type pg from 'pg'
import { Failure } from '../../../core/failure.ts'
import type { BackupEnd, BackupTable } from './format.ts'

/** The migrations are done again; which processes are at work is of no use elsewhere. */
const LEFT_OUT = ['migrations', 'processes', 'duties']

interface Found extends BackupTable {
  /** Tables that its rows refer to. */
  needs: string[]
}

/** The tables of a store that are kept, each after those that it refers to; generated columns are not among theirs. */
export async function listTables(client: pg.ClientBase): Promise<BackupTable[]> {
  const { rows } = await client.query<Found>(
    `select c.relname as name,
       (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
       array(select distinct f.confrelid::regclass::text from pg_constraint f
         where f.conrelid = c.oid and f.contype = 'f' and f.confrelid <> c.oid) as needs
     from pg_class c
     where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace and c.relname <> all($1)
     order by c.relname`,
    [LEFT_OUT],
  )
  return inOrder(rows).map(({ name, columns }) => ({ name, columns }))
}

function inOrder(tables: readonly Found[]): Found[] {
  const done: Found[] = []
  const names = new Set<string>()
  for (let left = [...tables]; left.length > 0;) {
    const next = left.filter(({ needs }) => needs.every((need) => names.has(need)))
    if (next.length === 0)
      throw new Failure({
        code: 'INTERNAL_ERROR',
        message: `Tables refer to each other in a circle: ${left.map(({ name }) => name).join(', ')}.`,
      })
    for (const one of next) names.add(one.name)
    done.push(...next)
    left = left.filter(({ name }) => !names.has(name))
  }
  return done
}

/** What the columns that number their rows go on after. One that gave no number yet is left out. */
export async function listSequences(client: pg.ClientBase): Promise<BackupEnd['sequences']> {
  const { rows } = await client.query<{ table: string; column: string; last: number | null }>(
    `select c.relname as table, a.attname::text as column,
       pg_sequence_last_value(pg_get_serial_sequence(quote_ident(c.relname), a.attname)::regclass)::float8 as last
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attidentity <> '' and not a.attisdropped
     where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace order by 1, 2`,
  )
  return rows.flatMap(({ last, ...of }) => (last === null ? [] : [{ ...of, last }]))
}
