import type { Role } from '../core/caller.ts'
import { lastTokenUses } from '../store/api-tokens.ts'
import type { Db } from '../store/postgres/db.ts'

/** A token of the API as it is shown. Times are RFC 3339. */
export interface ApiTokenLine {
  name: string
  role: Role
  /** Null: all. */
  jobs: readonly string[] | null
  /** Null: never. */
  expires: string | null
  expired: boolean
  /** A minute off at most; null: never that the store knows. */
  lastUsedAt: string | null
}

type Tokens = Readonly<Record<string, { sha256: string; role: Role; jobs?: readonly string[] | undefined; expires?: Date | undefined }>>

/** The tokens of a configuration, with when each was used last. */
export async function listApiTokens(db: Db, tokens: Tokens, now = new Date()): Promise<ApiTokenLine[]> {
  const used = await lastTokenUses(
    db,
    Object.values(tokens).map(({ sha256 }) => sha256),
  )
  return Object.entries(tokens).map(([name, { sha256, role, jobs, expires }]) => ({
    name,
    role,
    jobs: jobs ?? null,
    expires: expires?.toISOString() ?? null,
    expired: expires !== undefined && expires <= now,
    lastUsedAt: used.get(sha256) ?? null,
  }))
}
