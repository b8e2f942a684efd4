import { z } from 'zod'

/** Most of something at a time. */
export const concurrency = z.int().min(1).max(10_000)

/** An address `host:port`. Port 0, where it may be given, is any that is free. */
export const hostPort = (leastPort: 0 | 1) =>
  z
    .string()
    .regex(/^(\[[0-9a-f:]+\]|[^:/\s]+):\d{1,5}$/i, { abort: true, error: 'must be host:port' })
    .refine((address) => {
      const port = Number(address.slice(address.lastIndexOf(':') + 1))
      return port >= leastPort && port <= 65_535
    }, `must end in a port from ${leastPort} to 65535`)
