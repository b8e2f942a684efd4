import { z } from 'zod'

/** Most of something at a time. */
export const concurrency = z.int().min(1).max(10_000)

/** Most of something that is read at once: one text of it fits into the memory of a process. */
export const MAX_BYTES = 268_435_456

const FORM =
  'is no time; write a date such as 2027-03-31, which is good until its end in UTC, or a time with its zone such as 2027-03-31T18:00:00+02:00'

/** A moment until which something is good. */
export const goodUntil = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], { error: FORM })
  .transform((text) => new Date(text.includes('T') ? text : `${text}T23:59:59.999Z`))

const HOST_PORT = 'must be host:port, such as 127.0.0.1:8480'

/** An address `host:port`. Port 0, where it may be given, is any that is free. `ofPort` says what to write where a port stands alone. */
export function hostPort(leastPort: 0 | 1, ofPort?: (port: string) => string) {
  const error = ({ input }: { input?: unknown }): string => {
    const port = /^:?(\d{1,5})$/.exec(String(input))?.[1]
    return port === undefined || !ofPort ? HOST_PORT : `must be host:port; write ${ofPort(port)}`
  }
  return z
    .string({ error })
    .regex(/^(\[[0-9a-f:]+\]|[^:/\s]+):\d{1,5}$/i, { abort: true, error })
    .refine((address) => {
      const port = Number(address.slice(address.lastIndexOf(':') + 1))
      return port >= leastPort && port <= 65_535
    }, `must end in a port from ${leastPort} to 65535`)
}
