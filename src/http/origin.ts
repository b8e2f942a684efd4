import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context } from 'hono'

/** The address that a request came from, which is Pomerium's for whoever came by it; null for one without a connection, which this process made itself. */
export const originOf = (c: Context): string | null =>
  c.env === undefined || !('incoming' in Object(c.env)) ? null : (getConnInfo(c).remote.address ?? null)
