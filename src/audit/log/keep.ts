import { createBadRows, isOfRow, type BadRowLog } from '../../store/bad-rows.ts'
import { insertEvents, type LogPosition, type NewEvent } from '../../store/audit/events.ts'
import type { Db } from '../../store/postgres/db.ts'

export interface KeepOptions {
  db: Db
  log?: BadRowLog | undefined
  position?: LogPosition | undefined
}

/** Keeps events together with the position, and without those that Postgres cannot hold. Returns how many were new. */
export async function keepEvents(events: readonly NewEvent[], { db, log, position }: KeepOptions): Promise<number> {
  try {
    return await insertEvents(db, events, position)
  } catch (error) {
    if (!isOfRow(error)) throw error
  }
  let added = 0
  await createBadRows({ db, duty: 'import', log }).pass(
    events,
    (event) => event.lineDigest,
    async (some) => (added += await insertEvents(db, some)),
    { retry: true },
  )
  // After its lines: what is read again is known, what is not kept would be lost.
  await insertEvents(db, [], position)
  return added
}
