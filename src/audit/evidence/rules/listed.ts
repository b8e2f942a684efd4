import { z } from 'zod'
import type { CheckpointedRun } from '../../../store/audit/evidence.ts'

const common = { id: z.string(), attempts: z.int() }
const second = {
  ...common,
  conversation: z.int(),
  finishedAt: z.string().nullable(),
  retryOf: z.string().nullable(),
  kept: z.string(),
  content: z.string(),
  state: z.string(),
  open: z.record(z.string(), z.array(z.string())),
}
const runsSchema = z.array(
  z.union([
    z.strictObject({ rule: z.enum(['runs/3', 'runs/4']), ...second, status: z.string(), end: z.string(), acts: z.array(z.string()) }),
    z.strictObject({ rule: z.literal('runs/2'), ...second }),
    z.strictObject({ ...common, digest: z.string() }),
  ]),
)

/** What a checkpoint says of runs; undefined when it does not have the form of that. */
export const readRuns = (runs: unknown): CheckpointedRun[] | undefined => runsSchema.safeParse(runs).data
