import { randomUUID } from 'node:crypto'
import type { Actor } from '../../../src/core/acts.ts'
import type { ToolCallRecord, TurnRecord } from '../../../src/core/ports/journal.ts'
import { noUsage, type AttemptRef } from '../../../src/core/run.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { openAttempt, type Claim, type ClaimOptions } from '../../../src/store/runs/claim.ts'
import { finishRun, finishUnclaimedRun, type RunEnd } from '../../../src/store/runs/finish.ts'
import { insertRun, type NewRun } from '../../../src/store/runs/insert.ts'
import { someone } from '../actor.ts'

/** A run in the store, with nothing of the queue. Returns its id. */
export async function writeRun(db: Db, run: Partial<NewRun> = {}, definition: object = { prompt: 'Do it.' }): Promise<string> {
  const id = `run_${randomUUID()}`
  const whole = { id, job: 'work', jobVersion: 'sha256:1', account: 'reports', trigger: { kind: 'cli' } as const, input: {}, ...run }
  await insertRun(db, whole, definition)
  return whole.id
}

/** Ends a run that no worker holds as cancelled. */
export const endCancelled = (db: Db, runId: string, by: Actor = someone()): Promise<boolean> => {
  const reason = { code: 'CANCELLED', message: 'The run was cancelled.' } as const
  return finishUnclaimedRun(
    db,
    runId,
    {
      status: 'cancelled',
      reasons: [reason],
      failure: { ...reason, retry: 'never' },
      usage: noUsage,
      costUsd: null,
    },
    by,
  )
}

/** How an attempt ends that needs a person to connect a server. */
export const waitingForShop = {
  status: 'waiting',
  failure: null,
  waitsFor: { kind: 'connection', account: 'reports', server: 'shop' },
} as const

/** A worker's claim of a run; a queue job of its own unless one is given. */
export const claim = (db: Db, runId: string, options: Partial<ClaimOptions> = {}): Promise<Claim> =>
  openAttempt(db, runId, { worker: 'one', queueJobId: randomUUID(), leaseMs: 60_000, ...options })

/** The run's worker was last heard of so long ago. */
export const fallSilent = (db: Db, runId: string, ms = 3_600_000) =>
  query(db, 'update runs set heartbeat_at = now() - make_interval(secs => $2 / 1000.0) where id = $1', [runId, ms])

/** Another worker takes the run over from one that fell silent. */
export async function takenOver(db: Db, runId: string, options: Partial<ClaimOptions> = {}): Promise<AttemptRef> {
  await fallSilent(db, runId)
  return opened(db, runId, options)
}

/** Opens an attempt that is known to be free. */
export async function opened(db: Db, runId: string, options: Partial<ClaimOptions> = {}): Promise<AttemptRef> {
  const result = await claim(db, runId, options)
  if (result.kind !== 'opened') throw new Error(`the run ${runId} is ${result.kind}`)
  return result.opened.attempt
}

/** A run that succeeded so long ago, such as `1 hour`. Returns its id. */
export async function endedRun(db: Db, ago: string, ending: Pick<RunEnd, 'output'> & Partial<Pick<RunEnd, 'deliveries'>>): Promise<string> {
  const id = await writeRun(db)
  await endGreen(db, await opened(db, id), ago, ending)
  return id
}

/** An attempt succeeds, so long ago, and its run with it. */
export async function endGreen(
  db: Db,
  attempt: AttemptRef,
  ago: string,
  ending: Pick<RunEnd, 'output'> & Partial<Pick<RunEnd, 'deliveries'>>,
): Promise<void> {
  await finishRun(db, attempt, {
    status: 'succeeded',
    reasons: [],
    failure: null,
    usage: noUsage,
    costUsd: null,
    deliveries: [],
    ...ending,
  })
  await query(db, 'update runs set finished_at = now() - $2::interval where id = $1', [attempt.runId, ago])
}

export const turnRecord = (number: number, extra: Partial<TurnRecord> = {}): TurnRecord => ({
  number,
  told: null,
  items: [{ type: 'message', text: `turn ${number}` }],
  stopReason: 'stop',
  forcedBy: null,
  responseId: null,
  providerRequestId: null,
  model: 'scripted',
  usage: { inputTokens: 1, cachedTokens: 0, outputTokens: 1, reasoningTokens: 0 },
  costUsd: null,
  startedAt: new Date(),
  finishedAt: new Date(),
  ...extra,
})

export const callRecord = (extra: Partial<ToolCallRecord> = {}): ToolCallRecord => ({
  id: randomUUID(),
  turn: 1,
  position: 0,
  callId: 'call_1',
  server: 'counting',
  tool: 'act',
  arguments: {},
  repeatable: false,
  ...extra,
})
