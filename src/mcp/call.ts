import { Failure } from '../core/failure.ts'
import { keepText } from '../core/rules/reading/keep.ts'
import type { CallJournal, ToolCallRecord } from '../core/ports/journal.ts'
import type { ToolOutcome } from '../core/ports/toolbox.ts'
import { resultOf } from '../core/run.ts'
import { noAnswer } from '../core/words/calls.ts'
import { deadlineSignal } from '../lib/time/deadline.ts'
import { classifyCallError, type CallErrorOptions } from './call-errors.ts'
import type { Answered } from './results.ts'
import type { CallContext } from './session/types.ts'

export interface CallOptions extends CallErrorOptions {
  journal: CallJournal
}

/**
 * Makes a call: its row is durable before the request is sent, and its end is written before the model sees it. After `timeoutMs` a
 * repeatable call ends with an error for the model; any other has an unknown outcome. Throws what must end the attempt.
 */
export async function makeCall(
  record: ToolCallRecord,
  { journal, ...options }: CallOptions,
  { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
  send: (context: CallContext) => Promise<Answered>,
): Promise<ToolOutcome> {
  signal.throwIfAborted()
  const began = performance.now()
  const written = journal.toolCall(record)
  written.catch(() => {}) // awaited before the request is sent, and in its failure
  const late = timedOut(record, timeoutMs)
  using limited = deadlineSignal(signal, timeoutMs, () => late)
  let answered: Answered
  let thrown: unknown
  try {
    answered = await send({ toolCallId: record.id, repeatable: record.repeatable, written, signal: limited.signal })
  } catch (error) {
    if (error === late && record.repeatable) answered = givenUp(record, timeoutMs)
    else ({ outcome: answered, thrown } = classifyCallError(error, record, options, signal))
  }
  await written
  const outcome = await keepContents(answered, journal)
  const { status, failure } = outcome
  const result = thrown === undefined ? resultOf(outcome) : null
  await journal.toolCallEnd({ id: record.id, status, result, failure, durationMs: performance.now() - began })
  if (thrown !== undefined) throw thrown
  return outcome
}

/** Keeps what does not stand in the row of the call, before that row names it. */
async function keepContents({ keep, pictures, ...outcome }: Answered, journal: CallJournal): Promise<ToolOutcome> {
  const [kept, images] = await Promise.all([
    keepText(journal, keep),
    pictures && Promise.all(pictures.map(async (one) => ({ ...(await journal.keepContent(one)), mediaType: one.mediaType }))),
  ])
  return { ...outcome, ...(kept && { kept }), ...(images && { images }) }
}

const timedOut = ({ server, tool }: ToolCallRecord, timeoutMs: number) =>
  new Failure({
    code: 'OUTCOME_UNKNOWN',
    message: `The call of ${tool} on ${server} got no answer within ${timeoutMs / 1000} s: it may have run.`,
    server,
  })

/** The end of a repeatable call that took too long. */
function givenUp({ server, tool }: ToolCallRecord, timeoutMs: number): ToolOutcome {
  const message = `The call of ${tool} on ${server} got no answer within ${timeoutMs / 1000} s.`
  const failure = new Failure({ code: 'UPSTREAM_UNAVAILABLE', message, server }).toJSON()
  return { status: 'error', text: noAnswer(timeoutMs), truncated: false, failure, mistake: false }
}

/** Writes a call that is never sent, with its end. */
export async function refuseCall(record: ToolCallRecord, answered: Answered, journal: CallJournal): Promise<ToolOutcome> {
  const outcome = await keepContents(answered, journal)
  const { status, failure } = outcome
  await journal.toolCallRefused(record, { id: record.id, status, result: resultOf(outcome), failure, durationMs: 0 })
  return outcome
}
