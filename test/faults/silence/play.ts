import { setTimeout as sleep } from 'node:timers/promises'
import { query } from '../../../src/store/postgres/db.ts'
import { JOB, startReplicas, type Replicas } from './replicas.ts'
import { boundMs, type SilenceRow } from './rows.ts'

/** What came of a silence. */
export interface SilenceOutcome {
  /** Runs by how they ended. */
  endings: Record<string, number>
  /** Runs that did not end, or whose report did not come. */
  lost: number
  /** Runs that had their effect twice, or are green without it. */
  doubled: number
  /** Ended otherwise than green or with OUTCOME_UNKNOWN. */
  harmed: number
  /** What `/readyz` of a replica that it was for said while it lasted; 0 for nothing. */
  readyz: number
  /** From the end of the silence to the first sign of life of the last replica that it was for. Undefined: none came. */
  signMs: number | undefined
}

const WARM_RUNS = 6
const GAP_MS = 350
const LOOK_MS = 100
/** `/readyz` is asked so long before the silence ends. */
const ASKED_MS = 5000
const READY_MS = 4500
/** No sign within so much more than its bound is none. */
const GRACE_MS = 20_000
/** Until everything is over and reported: a place that was silent is put off by a minute at a time. */
const PATIENCE_MS = 240_000

/** Lets one neighbour of two replicas be silent for `forMs` while runs come and go, and says what came of it. */
export async function playSilence(row: SilenceRow, forMs: number): Promise<SilenceOutcome> {
  await using bed = await startReplicas(row)
  const asked: string[] = []
  const ask = async () => void asked.push(await bed.askFor(JOB))
  for (let i = 0; i < WARM_RUNS; i++) await ask()
  await over(bed, asked, PATIENCE_MS)

  const asking = new AbortController()
  const trickle = (async () => {
    while (!asking.signal.aborted) {
      await ask()
      await sleep(GAP_MS)
    }
  })()
  await sleep(4 * GAP_MS)
  await bed.silence.begin()
  await sleep(forMs - ASKED_MS)
  const [readyz] = await Promise.all([readyOf(bed.hit[0]?.url ?? ''), sleep(ASKED_MS)])
  const endedAt = new Date()
  bed.silence.end()
  const signMs = await firstSign(bed, row, endedAt)
  asking.abort()
  await trickle
  await over(bed, asked, PATIENCE_MS)
  return { ...(await judge(bed, asked)), readyz, signMs }
}

const readyOf = (url: string): Promise<number> =>
  fetch(`${url}/readyz`, { signal: AbortSignal.timeout(READY_MS) }).then(
    ({ status }) => status,
    () => 0,
  )

/** Milliseconds from `endedAt` until each replica that was hit has done something for which it needs its neighbour. */
async function firstSign(bed: Replicas, row: SilenceRow, endedAt: Date): Promise<number | undefined> {
  const signs = row.neighbour === 'receiver of reports' ? reportsAfter(bed) : runsAfter(bed, endedAt)
  const until = endedAt.getTime() + boundMs(row) + GRACE_MS
  while (Date.now() < until) {
    const at = await signs().catch(() => [])
    if (at.length === bed.hit.length && at.every((one) => one !== undefined)) return Math.max(...at.map(Number)) - endedAt.getTime()
    await sleep(LOOK_MS)
  }
  return undefined
}

/** When each of them ended a run well. */
const runsAfter =
  ({ db, hit }: Replicas, endedAt: Date) =>
  async (): Promise<(Date | undefined)[]> => {
    const rows = await query<{ pid: number; at: Date }>(
      db,
      `select split_part(worker, ':', 2)::int as pid, min(finished_at) as at from attempts where status = 'succeeded' and finished_at > $1 group by 1`,
      [endedAt],
    )
    return hit.map(({ pid }) => rows.find((one) => one.pid === pid)?.at)
  }

/** When a report of each of them came. */
function reportsAfter({ receiver, hit }: Replicas) {
  const { length } = receiver.received
  const came: (Date | undefined)[] = hit.map(() => undefined)
  return async (): Promise<(Date | undefined)[]> => {
    for (const { url } of receiver.received.slice(length)) {
      const replica = Number(new URL(url, 'http://receiver').searchParams.get('replica'))
      if (replica < came.length) came[replica] ??= new Date()
    }
    return came
  }
}

/** Resolves when all of them are over and reported, or patience is. */
async function over({ db }: Replicas, asked: readonly string[], patienceMs: number): Promise<void> {
  const until = Date.now() + patienceMs
  while (Date.now() < until) {
    const [row] = await query<{ left: number }>(
      db,
      `select (select count(*)::int from runs where id = any ($1) and finished_at is null) + (select count(*)::int from deliveries where status = 'pending') as left`,
      [asked],
    ).catch(() => [])
    if (row?.left === 0) return
    await sleep(LOOK_MS)
  }
}

async function judge({ db, receiver, effects }: Replicas, asked: readonly string[]) {
  const runs = await query<{ id: string; status: string; code: string | null; report: string | null; over: boolean }>(
    db,
    `select r.id, r.status, r.failure ->> 'code' as code, d.id::text as report, r.finished_at is not null as over from runs r left join deliveries d on d.run_id = r.id where r.id = any ($1)`,
    [asked],
  )
  const reported = new Set(receiver.received.map(({ headers }) => String(headers['webhook-id'])))
  const endings: Record<string, number> = {}
  for (const { status, code } of runs) {
    const ending = [status, ...(code === null ? [] : [code])].join(' ')
    endings[ending] = (endings[ending] ?? 0) + 1
  }
  const effectsOf = (id: string) => effects.get(id) ?? 0
  return {
    endings,
    lost: asked.length - runs.filter((run) => run.over && run.report !== null && reported.has(run.report)).length,
    doubled: runs.filter(({ id, status }) => effectsOf(id) > 1 || (status === 'succeeded' && effectsOf(id) !== 1)).length,
    harmed: runs.filter((run) => run.over && run.status !== 'succeeded' && run.code !== 'OUTCOME_UNKNOWN').length,
  }
}

/** What is not as it must be: nothing for a row that is as promised. */
export function faultsOf(row: SilenceRow, { lost, doubled, harmed, readyz, signMs }: SilenceOutcome): string[] {
  return [
    ...(lost > 0 ? [`${lost} lost`] : []),
    ...(doubled > 0 ? [`${doubled} doubled or green without effect`] : []),
    ...(harmed > 0 ? [`${harmed} ended badly`] : []),
    ...(row.readyz === undefined || readyz === row.readyz ? [] : [`/readyz said ${readyz}`]),
    ...(signMs === undefined ? ['no sign of life'] : signMs > boundMs(row) ? ['above its bound'] : []),
  ]
}
