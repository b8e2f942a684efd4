import type { Db } from '../../store/postgres/db.ts'
import { loadRunStates, type RunState } from '../../store/runs/show.ts'

export interface RunStates {
  /** How a run stands now. Undefined when there is none. */
  of(runId: string): Promise<RunState | undefined>
}

/** Questions that come within this time of each other are one. */
const TOGETHER_MS = 50

/** Answers whoever watches runs: all who ask at about the same time share one statement, however many they are. */
export function createRunStates(db: Db): RunStates {
  let waiting: { ids: Set<string>; answer: Promise<ReadonlyMap<string, RunState>> } | undefined

  function ask(): NonNullable<typeof waiting> {
    const ids = new Set<string>()
    const answer = new Promise<void>((done) => setTimeout(done, TOGETHER_MS)).then(() => {
      // Who asks from now on is asked for anew: what they saw may be newer than the answer.
      waiting = undefined
      return loadRunStates(db, [...ids])
    })
    return { ids, answer }
  }

  return {
    async of(runId) {
      waiting ??= ask()
      waiting.ids.add(runId)
      return (await waiting.answer).get(runId)
    },
  }
}
