import { cancelRun } from '../../src/runs/cancel.ts'
import { someone } from '../support/actor.ts'
import type { Expected, ProviderRow } from './row.ts'

export const ends = (status: Expected['status'], code: Expected['code'], made: number): Expected => ({ status, code, made })

/** Five calls with an effect, by the name that the model knows the tool by. */
export const actsOf = (tool: string): string => Array.from({ length: 5 }, (_, n) => `call ${tool} {"n": ${n + 1}}`).join('\n')

export const TOTAL_OUTPUT =
  'output: { schema: { type: object, properties: { total: { type: integer } }, required: [total], additionalProperties: false } }'

/** Cancels the run when its first call has reached the server, which is held until the run is over. */
export const cancelInFirstCall: NonNullable<ProviderRow['play']> = async (bench, runId) => {
  const { app, server } = bench
  server.answer = async () => {
    server.answer = () => 'done'
    await cancelRun(app.db, runId, someone())
    await bench.ended(runId)
    return 'done'
  }
  await server.nextCall()
}

/** Holds that call at the server until the run is over. */
export const heldUntilEnd =
  (nth: number): NonNullable<ProviderRow['play']> =>
  async (bench, runId) => {
    let calls = 0
    bench.server.answer = async () => {
      if (++calls === nth) await bench.ended(runId)
      return 'done'
    }
  }
