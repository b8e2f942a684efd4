import { Redis } from 'ioredis'
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
