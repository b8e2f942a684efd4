import { randomUUID } from 'node:crypto'
import { decideDelivery } from '../core/rules/delivery.ts'
import { targetOf } from '../delivery/destinations/registry.ts'
import { digestOf } from '../lib/hash/digest.ts'
import { describeFailure, type FailureRecord } from '../core/failure.ts'
import { answerTooLarge, decideOutcome } from '../core/rules/outcome.ts'
import { reasonOf, type Ending, type FinalStatus, type Usage } from '../core/run.ts'
import { cutBytes } from '../lib/text.ts'
import type { JobDefinition } from '../jobs/schema.ts'
import type { DelegateResult } from '../models/model.ts'
import type { Db } from '../store/postgres/db.ts'
import { previousDigest } from '../store/delivery/deliveries.ts'
import type { NewDelivery } from '../store/delivery/post.ts'
import type { RunEnd } from '../store/runs/finish.ts'

/** How much of an output can be searched for. */
const SEARCH_BYTES = 65_536

/** The end of a run that has an answer. One that is too large is cut, and the run is not green. */
export function endWithAnswer(result: DelegateResult, { limits }: JobDefinition): RunEnd {
  const text = cutBytes(result.text ?? '', limits.outputBytes)
  const reasons = text.truncated ? [...result.reasons, answerTooLarge(limits.outputBytes)] : result.reasons
  // An output is kept whole or not at all: half of a JSON value is none.
  const output = text.truncated ? undefined : result.output
  return {
    status: decideOutcome(reasons),
    output,
    outputText: result.text === null ? undefined : text.truncated ? `${text.text}\n[cut at ${limits.outputBytes} bytes]` : result.text,
    outputDigest: result.text === null ? undefined : digestOf(output ?? result.text),
    searchText: cutBytes([result.text ?? '', ...endingWords(result.ending)].join(' '), SEARCH_BYTES).text,
    ending: result.ending,
    mended: output === undefined ? [] : result.mended,
    reasons,
    failure: null,
    usage: result.usage,
    costUsd: result.costUsd,
  }
}

const endingWords = (ending: Ending | undefined): string[] =>
  ending === undefined ? [] : ending.kind === 'nothing-new' ? [ending.why] : [ending.what, ending.tried]

/** The end of a run that failed for good. `text`: what there was of an answer when its time was over. */
export function endWithFailure(failure: FailureRecord, spent: { usage: Usage; costUsd: number | null }, text?: string): RunEnd {
  const reasons = [reasonOf(failure)]
  const status: FinalStatus = failure.code === 'CANCELLED' ? 'cancelled' : 'failed'
  return { status, reasons, failure, outputText: text, searchText: describeFailure(failure), ...spent }
}

/** What is to be delivered of an end: a row for each target of the job, skipped where its `when` says so. Nothing where no version here can read the job. */
export async function deliveriesOf(
  db: Db,
  run: { id: string; job: string },
  definition: JobDefinition | undefined,
  end: RunEnd,
): Promise<NewDelivery[]> {
  const deliver = definition?.deliver ?? []
  if (deliver.length === 0) return []
  const previous = deliver.some(({ when }) => when === 'changed') ? await previousDigest(db, run.job, run.id) : undefined
  return deliver.map(({ when, ...entry }) => ({
    id: randomUUID(),
    target: targetOf(entry),
    status: decideDelivery(when, {
      status: end.status,
      nothingNew: end.ending?.kind === 'nothing-new',
      digest: end.outputDigest,
      previousDigest: previous,
    })
      ? 'pending'
      : 'skipped',
  }))
}
