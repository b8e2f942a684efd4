import { z } from 'zod'
import type { Keep } from '../../../store/retention.ts'

const agesSchema = z.record(z.string(), z.int())

/** The retention that the signer was configured with, in milliseconds, as its checkpoint says it: what is left out is kept for ever. */
export const signedKeepSchema = z.strictObject({
  content: agesSchema,
  metadata: agesSchema,
  log: z.int().nullable(),
  fires: z.int().nullable(),
})

export type SignedKeep = z.output<typeof signedKeepSchema>

export function signedKeep({ content, metadata, log, fires }: Keep): SignedKeep {
  const given = (ages: Readonly<Record<string, number | undefined>>) =>
    Object.fromEntries(Object.entries(ages).flatMap(([status, ms]) => (ms === undefined ? [] : [[status, ms]])))
  return { content: given(content), metadata: given(metadata), log: log ?? null, fires: fires ?? null }
}

/** Which removals retention explains: by any configuration that a checkpoint was signed with, or that is in force. */
export interface Removals {
  /** Of the content of a run that ended so; `at` is when it is said to have been. */
  content: (status: string, endedAt: Date, at: Date) => boolean
  /** Of a run of which a checkpoint says that it ended so. One that was not green may have been retried since, and have ended in any way. */
  run: (status: string, endedAt: Date, at: Date) => boolean
  /** By now, of a line of the log, and of what is kept for its sake. */
  log: (time: Date) => boolean
  fire: (time: Date) => boolean
  /** True of what is said to have been: not of a time that is to come. */
  isPast: (time: Date) => boolean
}

export function createRemovals(keeps: readonly SignedKeep[], now: Date): Removals {
  // A removal that is said to be to come has not been.
  const isOld = (ms: number | null | undefined, since: Date, at: Date) => ms != null && at <= now && at.getTime() - since.getTime() >= ms
  return {
    content: (status, endedAt, at) => keeps.some(({ content }) => isOld(content[status], endedAt, at)),
    run: (status, endedAt, at) =>
      keeps.some(({ metadata }) =>
        Object.entries(metadata).some(([of, ms]) => (of === status || status !== 'succeeded') && isOld(ms, endedAt, at)),
      ),
    log: (time) => keeps.some(({ log }) => isOld(log, time, now)),
    isPast: (time) => time <= now,
    fire: (time) => keeps.some(({ fires }) => isOld(fires, time, now)),
  }
}
