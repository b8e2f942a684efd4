import { accessSync, constants, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { Failure, messageOf } from '../core/failure.ts'
import type { Evaluated } from './evaluate.ts'
import { pageNameOf, pageOf } from './page.ts'
import type { Compared } from './score.ts'
import { parseJson } from '../lib/json/parse.ts'

/** Everything that an evaluation found, in its directory. */
const WHOLE = 'eval.json'

/** Makes the directory that the pages will go to, so that no money is spent on what cannot be written. Throws `COMMAND_INVALID`. */
export function prepareDir(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    accessSync(dir, constants.W_OK)
  } catch (cause) {
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The pages cannot be written to ${dir}: ${messageOf(cause)}.`,
      cure: 'Name a directory that you may write to with --out.',
      cause,
    })
  }
}

/** Writes a page for each trial and `eval.json`, which a later evaluation can be compared with; only their owner can read them. */
export async function writeFiles(dir: string, evaluated: Evaluated): Promise<void> {
  for (const trial of evaluated.trials) writeFileSync(join(dir, pageNameOf(trial)), await pageOf(trial), { mode: 0o600 })
  writeFileSync(join(dir, WHOLE), `${JSON.stringify(evaluated, null, 2)}\n`, { mode: 0o600 })
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

/** The first arm of an earlier evaluation of the same job, from its `eval.json` or the directory of it: of another version, say. Throws `COMMAND_INVALID`. */
export function readBaseline(path: string, job: string): Baseline {
  const file = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, WHOLE) : path
  const wrong = (why: string) =>
    new Failure({
      code: 'COMMAND_INVALID',
      message: `The baseline ${file} cannot be used: ${why}.`,
      cure: `Name the ${WHOLE} of an earlier evaluation of this job: nightshift eval ${job} --out DIR writes one.`,
    })
  if (!statSync(file, { throwIfNoEntry: false })) throw wrong('there is no such file')
  let found: z.output<typeof baselineSchema>
  try {
    found = baselineSchema.parse(parseJson(readFileSync(file, 'utf8')))
  } catch (error) {
    throw wrong(error instanceof z.ZodError ? 'it is not what an evaluation writes' : messageOf(error))
  }
  if (found.job !== job) throw wrong(`it is of the job ${found.job}`)
  const [arm = ''] = found.arms
  return { arm, trials: found.trials.filter((trial) => trial.arm === arm) }
}
