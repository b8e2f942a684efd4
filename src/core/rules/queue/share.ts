/** Queued runs of one sort: of all, of one caller, of one job, and of that caller for that job. */
export interface Queued {
  all: number
  ofCaller: number
  ofJob: number
  ofBoth: number
}

export interface QueueLimits {
  /** Most that a worker could start now. */
  maxQueued: number
  /** Most that lie ahead: they wait for a time, a pause, a limit or another run. */
  maxAhead: number
  /** Most percent of either that one caller, or one job, has. */
  sharePercent: number
}

/** What is full, for the caller. */
export interface Full {
  of: 'all' | 'caller' | 'job'
  sort: 'due' | 'ahead'
  runs: number
}

/** The most that one caller, or one job, may have of so many; at least one. */
export const shareOf = (most: number, { sharePercent }: QueueLimits): number => Math.max(1, Math.floor((most * sharePercent) / 100))

/**
 * Why one more run is not queued; undefined when it is. A pause or a limit may make one that is due one of those ahead, so it is refused where the caller has a share of
 * them for that job already, or all of them: that job's other callers, and the caller's other jobs, go on.
 */
export function fullQueue(isLater: boolean, due: Queued, ahead: Queued, limits: QueueLimits): Full | undefined {
  return isLater
    ? fullSort('ahead', ahead, limits.maxAhead, limits)
    : (heldAhead(ahead, limits) ?? fullSort('due', due, limits.maxQueued, limits))
}

function fullSort(sort: Full['sort'], { all, ofCaller, ofJob }: Queued, most: number, limits: QueueLimits): Full | undefined {
  const share = shareOf(most, limits)
  if (ofCaller >= share) return { of: 'caller', sort, runs: ofCaller }
  if (ofJob >= share) return { of: 'job', sort, runs: ofJob }
  return all >= most ? { of: 'all', sort, runs: all } : undefined
}

function heldAhead({ ofCaller, ofBoth }: Queued, limits: QueueLimits): Full | undefined {
  if (ofBoth >= shareOf(limits.maxAhead, limits)) return { of: 'caller', sort: 'ahead', runs: ofBoth }
  return ofCaller >= limits.maxAhead ? { of: 'caller', sort: 'ahead', runs: ofCaller } : undefined
}
