import type { Logger } from 'pino'
import { describeError } from '../core/failure.ts'
import { query, queryIso, type Db } from './postgres/db.ts'

/** A use is written once in so long. */
const EVERY_MS = 60_000
/** Uses that are older are forgotten. */
const KEPT = "interval '400 days'"

/** Writes down when a token of the API was used, a minute off at most. Nobody waits for it, and what cannot be written is left. */
export function createTokenUses(db: Db, log: Pick<Logger, 'warn'>): (sha256: string) => void {
  const written = new Map<string, number>()
  return (sha256) => {
    if (performance.now() - (written.get(sha256) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return
    written.set(sha256, performance.now())
    noteTokenUse(db, sha256).catch((error: unknown) =>
      log.warn({ reason: describeError(error) }, 'When a token of the API was used could not be kept.'),
    )
  }
}

export async function noteTokenUse(db: Db, sha256: string): Promise<void> {
  await query(
    db,
    `with old as (delete from api_tokens where used_at < now() - ${KEPT})
     insert into api_tokens (sha256) values ($1) on conflict (sha256) do update set used_at = now()`,
    [sha256],
  )
}

/** When each of these tokens was used last, by its digest. */
export async function lastTokenUses(db: Db, digests: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await queryIso<{ id: string; usedAt: string }>(
    db,
    'select sha256 as id, used_at as "usedAt" from api_tokens where sha256 = any($1)',
    [digests],
  )
  return new Map(rows.map(({ id, usedAt }) => [id, usedAt]))
}
