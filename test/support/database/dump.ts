import { Redis } from 'ioredis'
import { query, type Db } from '../../../src/store/postgres/db.ts'

/** Every row of every table, as text: JSON, and bytes as far as they are text, as they stand. */
export async function dumpDatabase(db: Db): Promise<string> {
  const tables = await query<{ name: string; columns: string }>(
    db,
    `select format('%I.%I', table_schema, table_name) as name,
       string_agg(case data_type when 'bytea' then format('encode(%I, ''escape'')', column_name) else format('%I::text', column_name) end, ', ') as columns
     from information_schema.columns join information_schema.tables using (table_schema, table_name)
     where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE' group by 1`,
  )
  const dumps: string[] = []
  for (const { name, columns } of tables)
    dumps.push(name, ...(await query<{ row: string }>(db, `select concat_ws(' | ', ${columns}) as row from ${name}`)).map(({ row }) => row))
  return dumps.join('\n')
}

/** Every key under a prefix in Redis, as text. */
export async function dumpRedis(url: string, prefix: string): Promise<string> {
  const redis = new Redis(url)
  const dumps: string[] = []
  for (const key of await redis.keys(`${prefix}:*`)) {
    const type = await redis.type(key)
    const read: Record<string, () => Promise<unknown>> = {
      string: () => redis.get(key),
      hash: () => redis.hgetall(key),
      list: () => redis.lrange(key, 0, -1),
      set: () => redis.smembers(key),
      zset: () => redis.zrange(key, '0', '-1'),
      stream: () => redis.xrange(key, '-', '+'),
    }
    dumps.push(key, JSON.stringify(await read[type]?.()))
  }
  await redis.quit()
  return dumps.join('\n')
}
