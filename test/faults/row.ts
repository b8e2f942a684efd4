import type { FailureCode } from '../../src/core/failure.ts'
import type { RunStatus } from '../../src/core/run.ts'
import { loadRun } from '../../src/store/show.ts'
import { buildScene, type Scene, type SceneOptions, type SceneUrls } from '../support/scene.ts'

export type Where = 'token' | 'gateway' | 'policy' | 'consent' | 'upstream' | 'model' | 'budget' | 'process'
export type QueueKind = 'redis' | 'postgres'

/** What came of a run. */
export interface Observed {
  status: RunStatus
  /** Of the run's failure; else of its first reason; else of its first attempt that failed. */
  code: FailureCode | null
  attempts: number
  /** How often the side effect happened. */
  effects: number
}

/** A fault, where it is put in, and what must come of it. */
export interface FaultRow {
  name: string
  where: Where
  delegate: 'local' | 'hosted'
  /** What is done to the scene before the run begins: mostly hooks that wait for their moment. */
  inject: (scene: Scene) => unknown
  expected: Observed
  /** The fault goes away by itself or by an operator, and the next attempt is green. */
  heals: boolean
  backends: readonly QueueKind[]
  /** Its own way from a queued run to where it is looked at; by default a worker does it until it is over or waits. Returns the run's id. */
  play?: (scene: Scene, urls: SceneUrls) => Promise<string>
  /** What the scene is built with. */
  scene: Omit<SceneOptions, 'urls'>
}

export const BOTH: readonly QueueKind[] = ['postgres', 'redis']

export interface RowOptions extends Partial<Pick<FaultRow, 'delegate' | 'heals' | 'backends' | 'play'>> {
  /** What the model says; by default one call of `act`, and an answer. */
  script?: string
  /** More YAML of the job, with what it replaces. */
  tools?: string
  retry?: string
  more?: string
  scene?: Partial<SceneOptions>
}

export const ACT = 'call counting__act {"n": 1}'
/** A call that has an effect, one that has none and where most faults strike, and an answer. */
export const MIDDLE = `${ACT}\ncall counting__look {}\nsay $1 $2`

/** Makes the rows of an area. */
export const rowsOf =
  (where: Where) =>
  (
    name: string,
    expected: [RunStatus, FailureCode | null, attempts: number, effects: number],
    inject: FaultRow['inject'],
    options: RowOptions = {},
  ): FaultRow => {
    const { delegate = 'local', heals = false, backends = BOTH, script = MIDDLE, play } = options
    const [status, code, attempts, effects] = expected
    const job = `
account: reports
delegate: ${delegate}
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  ${options.tools ?? 'counting: { allow: [act, look], repeatable: [look] }'}
retry: ${options.retry ?? '{ attempts: 2, backoff: 10ms }'}
${options.more ?? ''}`
    return {
      name,
      where,
      delegate,
      inject,
      expected: { status, code, attempts, effects },
      heals,
      backends,
      ...(play && { play }),
      scene: { job, script, ...options.scene },
    }
  }

/** Builds the scene of a row, puts the fault in, and says what came of a run. */
export async function runRow(row: FaultRow, urls: SceneUrls): Promise<Observed> {
  await using scene = await buildScene({ ...row.scene, urls })
  await row.inject(scene)
  const run = await loadRun(scene.app.db, await (row.play ?? playToEnd)(scene, urls))
  if (!run) throw new Error('the run is gone')
  const failed = run.attempts.find(({ failure }) => failure !== null)
  return {
    status: run.status,
    code: run.failure?.code ?? run.reasons[0]?.code ?? failed?.failure?.code ?? null,
    attempts: run.attempts.length,
    effects: scene.server.effects.length,
  }
}

async function playToEnd(scene: Scene): Promise<string> {
  await scene.app.worker.start()
  const runId = await scene.queue()
  await scene.ended(runId)
  return runId
}

/** Until an attempt has failed and the next one is a long way off. */
export async function playToRetry(scene: Scene): Promise<string> {
  const failed = new Promise<void>((done) => (scene.onRetry = () => done()))
  await scene.app.worker.start()
  const runId = await scene.queue()
  await failed
  return runId
}
