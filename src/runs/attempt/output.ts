// How the answer of a job is asked for and read: in the form that the job, its delegate and its provider allow.
import { envelopeSchema, openEnvelope } from '../../core/rules/endings.ts'
import { readOutput } from '../../core/rules/output.ts'
import { outputWords } from '../../core/words/output.ts'
import type { JobDefinition } from '../../jobs/schema.ts'
import { fitsStrictMode } from '../../lib/schema/strict.ts'
import type { OutputCheck, ParsedOutput } from '../../models/model.ts'
import type { Provider } from '../../models/provider.ts'

/** A hosted run has no tools of ours: its endings stand in its answer, unless the job speaks for itself. */
export const hasEnvelope = ({ delegate, contract }: Pick<JobDefinition, 'delegate' | 'contract'>): boolean =>
  delegate === 'hosted' && contract !== 'none'

/** Undefined when any text will do. */
export function outputCheckOf(definition: JobDefinition, { formatWithTools }: Pick<Provider, 'formatWithTools'>): OutputCheck | undefined {
  const { output } = definition
  if (!output) return undefined
  const { schema: wanted, mode, mend } = output
  const schema = hasEnvelope(definition) ? envelopeSchema(wanted) : wanted
  const read = (text: string, cut: { limitTokens: number } | undefined): ParsedOutput =>
    readOutput(text, wanted, { mend, cut: cut !== undefined, limitTokens: cut?.limitTokens })
  return {
    format: { name: 'output', schema, strict: fitsStrictMode(schema) },
    mode,
    withTools: formatWithTools,
    grounded: output.grounded,
    parse: (text, cut) => {
      const result = hasEnvelope(definition) ? openEnvelope(text)?.result : undefined
      const inner = result === undefined ? undefined : read(result, cut)
      if (inner?.ok) return inner
      const whole = read(text, cut)
      return whole.ok ? whole : (inner ?? whole)
    },
  }
}

/** What is said of the answer's form in the instructions: where no format says it from the first turn on. */
export function formInWords(output: OutputCheck | undefined): string | undefined {
  if (!output || output.mode === 'tool') return undefined
  return output.mode === 'native' && output.withTools ? undefined : outputWords(output.format.schema)
}
