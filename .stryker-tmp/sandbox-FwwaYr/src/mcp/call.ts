// @ts-nocheck
import type { CallJournal, ToolCallRecord } from '../core/ports/journal.ts'
import type { ToolOutcome } from '../core/ports/toolbox.ts'
import type { Showing } from '../core/words/results.ts'
import { classifyCallError, type CallErrorOptions } from './call-errors.ts'
import { readAnswer } from './results.ts'
import type { OpenServer } from './servers.ts'

export interface CallOptions extends Showing, CallErrorOptions {
  journal: CallJournal
}

/** Makes a call: its row is durable before the request is sent, and its end is written before it is told. Throws what must end the attempt. */
export async function makeCall(
  server: OpenServer,
  record: ToolCallRecord,
  args: Record<string, unknown>,
  options: CallOptions,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  signal.throwIfAborted()
  const { journal } = options
  const began = performance.now()
  const written = journal.toolCall(record)
  written.catch(() => {}) // awaited before the request is sent, and in its failure
  let outcome: ToolOutcome
  let thrown: unknown
  try {
    outcome = readAnswer(await server.call(record.tool, args, { toolCallId: record.id, written, signal }), options)
  } catch (error) {
    const classified = classifyCallError(error, record, options, signal)
    outcome = classified.outcome
    thrown = classified.thrown
  }
  await written
  const { status, text, truncated, failure } = outcome
  const result = thrown === undefined ? { text, truncated } : null
  await journal.toolCallEnd({ id: record.id, status, result, failure, durationMs: performance.now() - began })
  if (thrown !== undefined) throw thrown
  return outcome
}

/** Writes a call that is never sent, with its end. */
export async function refuseCall(record: ToolCallRecord, outcome: ToolOutcome, journal: CallJournal): Promise<ToolOutcome> {
  const { status, text, truncated, failure } = outcome
  await journal.toolCallRefused(record, { id: record.id, status, result: { text, truncated }, failure, durationMs: 0 })
  return outcome
}
