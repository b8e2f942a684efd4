import type { FailureRecord } from '../core/failure.ts'
import type { GatewayRequestEnd, Journal, ToolCallEnd, ToolCallRecord, TurnRecord, UnseenAnswer } from '../core/ports/journal.ts'
import type { RunStatus, Tags } from '../core/run.ts'

/** What happens in a run, told once its row is durable. */
export type ProgressEvent =
  | { event: 'attempt'; number: number; account: string; tookOver: boolean }
  | { event: 'routes'; count: number }
  | { event: 'preflight'; servers: string[]; tools: number }
  | { event: 'turn'; turn: TurnRecord }
  | { event: 'unseen'; answer: UnseenAnswer }
  | { event: 'call'; call: ToolCallRecord; end: ToolCallEnd }
  | { event: 'request'; end: GatewayRequestEnd }
  | { event: 'retry'; at: Date; failure: FailureRecord }
  | { event: 'waiting'; failure: FailureRecord }
  | { event: 'finished'; status: RunStatus; tags: Tags; costUsd: number | null }

export type Progress = { runId: string; job: string } & ProgressEvent

export type OnProgress = (progress: Progress) => void
export type Tell = (event: ProgressEvent) => void

/** A journal that tells of each turn, each finished call and each request after it was written. */
export function tellProgress(journal: Journal, tell: Tell): Journal {
  const calls = new Map<string, ToolCallRecord>()
  return {
    ...journal,
    async turn(turn) {
      await journal.turn(turn)
      tell({ event: 'turn', turn })
    },
    async unseenAnswer(answer) {
      await journal.unseenAnswer(answer)
      tell({ event: 'unseen', answer })
    },
    toolCall(call) {
      calls.set(call.id, call)
      return journal.toolCall(call)
    },
    toolCallDetails(details) {
      const call = calls.get(details.id)
      if (call) calls.set(details.id, { ...call, ...details })
      return journal.toolCallDetails(details)
    },
    async toolCallRefused(call, end) {
      await journal.toolCallRefused(call, end)
      tell({ event: 'call', call, end })
    },
    async toolCallEnd(end) {
      await journal.toolCallEnd(end)
      const call = calls.get(end.id)
      calls.delete(end.id)
      if (call) tell({ event: 'call', call, end })
    },
    async gatewayRequestEnd(end) {
      await journal.gatewayRequestEnd(end)
      tell({ event: 'request', end })
    },
  }
}
