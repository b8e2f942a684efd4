import { randomUUID } from 'node:crypto'
import type { CloudEvent } from '../../core/cloud-event.ts'
import type { Logger } from 'pino'
import { withUnreported } from '../../core/rules/join/unreported.ts'

import { explainEvents, loadHostedRuns, type EventSpan } from '../../store/audit/join/hosted.ts'
import { listUntold, loadUntold, tellUnreported, type UntoldRun } from '../../store/audit/join/unreported.ts'
import { createBadRows, type BadRowLog } from '../../store/bad-rows.ts'
import type { Db } from '../../store/postgres/db.ts'
import { hostedMatches } from './hosted.ts'

/** Where runs are told of that a round found something against. */
export type JoinLog = BadRowLog & Partial<Pick<Logger, 'warn'>>

/** That a run which ended green is not any more. */
const noLongerGreen = ({ id, job, found }: UntoldRun): CloudEvent => ({
  specversion: '1.0',
  id: randomUUID(),
  source: '/nightshift/audit',
  type: 'nightshift.audit.unreported',
  subject: id,
  time: new Date().toISOString(),
  datacontenttype: 'application/json',
  data: { run: id, job, ...found },
})

const RUNS_AT_ONCE = 200

/**
 * Tells runs that have ended of lines that their providers did not report: one that was green is not any more. What a run has recorded since such a line was
 * found is asked once more whether it explains it.
 */
export async function tellRuns(
  db: Db,
  span: EventSpan,
  clock: { aheadMs: number; overAfter: Date },
  log: JoinLog | undefined,
): Promise<void> {
  const rows = createBadRows({ db, duty: 'match', log })
  for (let after = ''; ;) {
    const ids = await listUntold(db, { after, limit: RUNS_AT_ONCE })
    await rows.pass(
      ids,
      (id) => id,
      (some) => tell(some),
    )
    after = ids.at(-1) ?? ''
    if (ids.length < RUNS_AT_ONCE) return
  }

  async function tell(some: readonly string[]): Promise<void> {
    for (const run of await loadHostedRuns(db, span, some, 'unreported')) {
      const explained = hostedMatches(run, clock).matches.filter(({ matchedBy }) => matchedBy !== 'unreported')
      await explainEvents(
        db,
        explained.map((match) => ({ ...match, runId: run.id })),
      )
    }
    for (const run of await loadUntold(db, some)) {
      const end = withUnreported(run, run.found)
      // Its reports have said that it is green.
      const event = run.isGreen && end.status !== 'succeeded' ? noLongerGreen(run) : undefined
      if (await tellUnreported(db, run, end, event))
        log?.warn?.(
          { run: run.id, status: end.status, ...run.found },
          'A run has requests in Pomerium’s log that its provider did not report.',
        )
    }
  }
}
