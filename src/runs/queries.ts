// What the faces read of runs, and the removal of old ones. They hold the open store, hand it on, and import nothing of it.
import type { RunGroup } from '../store/runs/list.ts'

export { listActs } from '../store/acts/list.ts'
export { listDeliveries, type DeliveryView } from '../store/delivery/deliveries.ts'
export type { Db } from '../store/postgres/db.ts'
export { isEmptyFilter, type RunFilter } from '../store/runs/filter.ts'
export { groupRuns, listRuns, type RunGroup, type RunLine } from '../store/runs/list.ts'
export { countPrunable, prune } from '../store/retention.ts'
export { RETRYABLE } from '../store/runs/retry.ts'
export { listWaiting, type WaitingFor } from '../store/waiting/waiting.ts'

/** How many runs the groups have together. */
export const countOf = (groups: readonly RunGroup[]): number => groups.reduce((sum, { runs }) => sum + runs, 0)
