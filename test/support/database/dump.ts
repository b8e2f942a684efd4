import { query, type Db } from '../../../src/store/postgres/db.ts'

/** Every row of every table, as text. */
export async function dumpDatabase(db: Db): Promise<string> {
  const tables = await query<{ name: string }>(
    db,
    "select format('%I.%I', table_schema, table_name) as name from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'",
  )
  const dumps: string[] = []
  for (const { name } of tables)
    dumps.push(name, ...(await query<{ row: string }>(db, `select t::text as row from ${name} t`)).map(({ row }) => row))
  return dumps.join('\n')
}
