import { durationMs } from '../../lib/duration.ts'
import { sizeText } from '../../lib/text.ts'
import type { Fault } from '../faults/fault.ts'
import type { JobDefinition } from '../schema.ts'

/** Fewer than our contract, the prompt and the tools take before the first answer. */
const FEW_TOKENS = 1000

/** Limits that end each run, or that another one keeps from ever being reached. */
export function limitWarnings({ limits, tools }: Pick<JobDefinition, 'limits' | 'tools'>): Fault[] {
  const { tokens, deadline, call, keptBytes, resultBytes } = limits
  const faults: Fault[] = []
  const add = (path: readonly string[], message: string) => faults.push({ path, message })
  if (tokens !== undefined && tokens < FEW_TOKENS)
    add(['limits', 'tokens'], `is ${tokens}, which the first request alone takes; it is of a whole run, so write for example 200000`)
  if (keptBytes < resultBytes)
    add(
      ['limits', 'keptBytes'],
      `is ${sizeText(keptBytes)}, less than limits.resultBytes (${sizeText(resultBytes)}): the model is shown no more than is kept; make it larger, or resultBytes smaller`,
    )
  const longer = (path: readonly string[], time: string) => {
    if (durationMs(time) > durationMs(deadline))
      add(path, `is ${time}, longer than an attempt may take (limits.deadline: ${deadline}); make it shorter, or the deadline longer`)
  }
  longer(['limits', 'call'], call)
  for (const [server, { timeout }] of Object.entries(tools)) if (timeout !== undefined) longer(['tools', server, 'timeout'], timeout)
  return faults
}
