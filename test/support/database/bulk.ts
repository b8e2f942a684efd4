import { query, type Db } from '../../../src/store/postgres/db.ts'

/** What has to be kept up with each row, and is made at once afterwards. */
interface Upkeep {
  /** Undoes it. */
  drop: string
  /** Makes it again, as it was. */
  make: string
}

/**
 * Runs `statements`, which fill tables of their own, while no table has an index, a key or the check of a reference: those are made when all rows are there, the same as
 * before. So many statements are under way at a time.
 */
export async function fillInBulk(pool: Db, statements: readonly string[], atOnce: number): Promise<void> {
  const [references, keys, indexes] = [await constraints(pool, ['f']), await constraints(pool, ['p', 'u']), await plainIndexes(pool)]
  for (const { drop } of [...references, ...indexes, ...keys]) await query(pool, drop)
  // A reference needs the key that it refers to, and locks both tables; all others can be made in any order.
  await inParallel(pool, statements, atOnce)
  await inParallel(
    pool,
    [...keys, ...indexes].map(({ make }) => make),
    atOnce,
  )
  for (const { make } of references) await query(pool, make)
}

const CONSTRAINT = `conrelid::regclass::text as "table", quote_ident(conname) as name, pg_get_constraintdef(oid) as def`

async function constraints(db: Db, kinds: string[]): Promise<Upkeep[]> {
  const rows = await query<{ table: string; name: string; def: string }>(
    db,
    `select ${CONSTRAINT} from pg_constraint where contype::text = any($1) and connamespace = current_schema()::regnamespace order by oid`,
    [kinds],
  )
  return rows.map(({ table, name, def }) => ({
    drop: `alter table ${table} drop constraint ${name}`,
    make: `alter table ${table} add constraint ${name} ${def}`,
  }))
}

async function plainIndexes(db: Db): Promise<Upkeep[]> {
  const rows = await query<{ name: string; make: string }>(
    db,
    `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as make
     from pg_index i join pg_class c on c.oid = i.indexrelid
     where c.relnamespace = current_schema()::regnamespace and not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid)
     order by i.indexrelid`,
  )
  return rows.map(({ name, make }) => ({ drop: `drop index ${name}`, make }))
}

/** Runs statements that do not depend on each other. */
export async function inParallel(pool: Db, statements: readonly string[], connections: number): Promise<void> {
  const left = [...statements]
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const client = await pool.connect()
      try {
        await client.query("set maintenance_work_mem = '256MB'")
        for (let next = left.shift(); next !== undefined; next = left.shift()) await client.query(next)
        await client.query('reset maintenance_work_mem')
      } finally {
        client.release()
      }
    }),
  )
}
