import { expect, test } from 'vitest'
import { query } from '../../../src/store/postgres/db.ts'
import { createTestDatabase } from '../../support/database/database.ts'

test('whoever removes a row finds those that refer to it by an index', async () => {
  await using database = await createTestDatabase()
  const withoutIndex = await query<{ key: string }>(
    database.db,
    `select c.conrelid::regclass || ' (' || (
         select string_agg(a.attname, ', ' order by k.at)
         from unnest(c.conkey) with ordinality as k(attnum, at)
           join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum) || ')' as key
     from pg_constraint c
     where c.contype = 'f' and not exists (
       -- The columns of the key are the first of an index: of all rows, or of those where the key is not null.
       select 1 from pg_index i
       where i.indrelid = c.conrelid and i.indisvalid
         and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey
         and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) = '(' || (
           select a.attname from pg_attribute a where a.attrelid = c.conrelid and a.attnum = c.conkey[1]) || ' IS NOT NULL)'))
     order by 1`,
  )
  expect(withoutIndex.map(({ key }) => key)).toEqual([])
})

test('every index is valid, and none is another one over again', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  expect(await query(db, 'select indexrelid::regclass::text as name from pg_index where not indisvalid')).toEqual([])
  const twice = `select indrelid::regclass::text as "table", count(*)::int as n from pg_index
    where indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
    group by indrelid, indkey::text, indpred::text, indisunique having count(*) > 1`
  expect(await query(db, twice)).toEqual([])
})
