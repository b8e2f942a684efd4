// @ts-nocheck
import { z } from 'zod'
import { duration } from '../../lib/duration.ts'
import { httpUrl } from '../../lib/url.ts'
import { concurrency } from './values.ts'

function hasPort(address: string): boolean {
  const port = Number(address.slice(address.lastIndexOf(':') + 1))
  return port >= 1 && port <= 65_535
}

/** Where Pomerium is, and what its responses may weigh. `setupTimeout` is in milliseconds, as every duration of a configuration that was read. */
export const gatewaySchema = z.strictObject({
  url: httpUrl,
  address: z
    .string()
    .regex(/^(\[[0-9a-f:]+\]|[^:/\s]+):\d{1,5}$/i, { abort: true, error: 'must be host:port' })
    .refine(hasPort, 'must end in a port from 1 to 65535')
    .optional(),
  caFile: z.string().optional(),
  connections: concurrency.default(128),
  maxResponseBytes: z.int().min(1024).default(16_777_216),
  setupTimeout: duration.default(60_000),
})

/** MCP servers by the name of their route. `maxRequestBytes` is the route's own `max_request_bytes`. */
export const serversSchema = z
  .record(z.string(), z.strictObject({ maxRequestBytes: z.int().min(256).default(4096), concurrency: concurrency.optional() }))
  .default({})
