import { z } from '@hono/zod-openapi'
import type { DeliveryView } from '../../runs/queries.ts'
import { time, timeOrNull } from './common.ts'

/** Where a report of a run stands on its way. */
export const deliverySchema = z
  .object({
    id: z.string().describe('What the receiver knows it by: its webhook-id.'),
    runId: z.string(),
    attempt: z.int(),
    target: z.looseObject({ kind: z.string() }).describe('Where it goes, such as { kind: webhook, name: team }.'),
    status: z
      .enum(['pending', 'delivered', 'failed', 'skipped'])
      .describe('skipped: when: of the job rules it out. failed: given up, or not wanted any more.'),
    tries: z.int(),
    error: z.string().nullable().describe('Why the last try failed.'),
    createdAt: time,
    nextTryAt: timeOrNull.describe('When a pending one is tried next.'),
    endedAt: timeOrNull,
  })
  .openapi('Delivery')

/** The schema says the same as the type. */
export const describeDelivery = ({ target, ...delivery }: DeliveryView): z.input<typeof deliverySchema> => ({
  ...delivery,
  target: { ...target },
})
