import type { FailureRecord } from '../failure.ts'

/** What a waiting run waits for. */
export type Wait = {
  /** A person connects a server for an account. */
  kind: 'connection'
  account: string
  server: string
}

/** What a run of this account waits for after a failure that only a person heals. */
export const waitAfter = (failure: FailureRecord, account: string): Wait => ({
  kind: 'connection',
  account,
  server: failure.server ?? '',
})
