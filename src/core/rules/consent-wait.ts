import type { FailureRecord } from '../failure.ts'

/** What a waiting run waits for. */
export type Wait = {
  /** A person connects a server for an account. */
  kind: 'connection'
  account: string
  server: string
}

/** What a run waits for after a failure that only a person heals. Undefined when that is no server of its job: nobody could ever connect it. */
export const waitAfter = ({ server }: FailureRecord, account: string, servers: readonly string[]): Wait | undefined =>
  server !== undefined && servers.includes(server) ? { kind: 'connection', account, server } : undefined
