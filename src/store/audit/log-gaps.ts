import { query, type Db } from '../postgres/db.ts'

/** A time of which lines of a log may have been lost. */
export interface LogGap {
  file: string
  from: Date
  until: Date
}

/** Keeps that lines between two times may have been lost. */
export async function insertGap(db: Db, { file, from, until }: LogGap): Promise<void> {
  await query(db, 'insert into log_gaps (file, from_time, until_time) values ($1, $2, $3)', [file, from, until])
}

/** Gaps that end after a time, oldest first. */
export async function listGaps(db: Db, since: Date): Promise<LogGap[]> {
  return query<LogGap & { file: string }>(
    db,
    'select file, from_time as "from", until_time as until from log_gaps where until_time >= $1 order by from_time limit 100',
    [since],
  )
}
