import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { Failure, messageOf } from '../core/failure.ts'
import type { Evaluated } from './evaluate.ts'
import { pageNameOf, pageOf } from './page.ts'
import type { Compared } from './score.ts'

/** Writes a page for each trial and `eval.json`, which a later evaluation can be compared with, into a directory that only its owner can read. */
export function writeFiles(dir: string, evaluated: Evaluated): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  for (const trial of evaluated.trials) writeFileSync(join(dir, pageNameOf(trial)), `${pageOf(trial)}\n`, { mode: 0o600 })
  writeFileSync(join(dir, 'eval.json'), `${JSON.stringify(evaluated, null, 2)}\n`, { mode: 0o600 })
}

const baselineSchema = z.looseObject({
  job: z.string(),
  arms: z.array(z.string()).min(1),
  trials: z.array(
    z.looseObject({
      arm: z.string(),
      case: z.string(),
      repeat: z.int(),
      verdict: z.enum(['right', 'false-green', 'missed', 'wrong', 'undecided']),
    }),
  ),
})

export interface Baseline {
  arm: string
  trials: Compared[]
}

/** The first arm of an earlier evaluation of the same job, from its `eval.json`: of another version, say. Throws `COMMAND_INVALID`. */
export function readBaseline(file: string, job: string): Baseline {
  const wrong = (why: string) =>
    new Failure({
      code: 'COMMAND_INVALID',
      message: `The baseline ${file} cannot be used: ${why}.`,
      cure: 'Name the eval.json of an earlier evaluation of this job.',
    })
  let found: z.output<typeof baselineSchema>
  try {
    found = baselineSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    throw wrong(error instanceof z.ZodError ? 'it is not what an evaluation writes' : messageOf(error))
  }
  if (found.job !== job) throw wrong(`it is of the job ${found.job}`)
  const [arm = ''] = found.arms
  return { arm, trials: found.trials.filter((trial) => trial.arm === arm) }
}
