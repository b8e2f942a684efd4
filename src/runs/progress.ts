import type { FailureRecord } from '../core/failure.ts'
import type { Journal, ToolCallEnd, ToolCallRecord, TurnRecord } from '../core/journal.ts'
import type { RunStatus } from '../core/run.ts'

/** What happens in a run, told once its row is durable. */
export type Progress = { runId: string } & (
  | { event: 'attempt'; number: number; account: string; tookOver: boolean }
  | { event: 'routes'; count: number }
  | { event: 'preflight'; servers: string[]; tools: number }
  | { event: 'turn'; turn: TurnRecord }
  | { event: 'call'; call: ToolCallRecord; end: ToolCallEnd }
  | { event: 'retry'; at: Date; failure: FailureRecord }
  | { event: 'waiting'; failure: FailureRecord }
  | { event: 'finished'; status: RunStatus }
)

export type OnProgress = (progress: Progress) => void

/** A journal that tells of each turn and each finished call after it was written. */
export function tellProgress(journal: Journal, runId: string, onProgress: OnProgress): Journal {
  const calls = new Map<string, ToolCallRecord>()
  return {
    ...journal,
    async turn(turn) {
      await journal.turn(turn)
      onProgress({ runId, event: 'turn', turn })
    },
    toolCall(call) {
      calls.set(call.id, call)
      return journal.toolCall(call)
    },
    async toolCallRefused(call, end) {
      await journal.toolCallRefused(call, end)
      onProgress({ runId, event: 'call', call, end })
    },
    async toolCallEnd(end) {
      await journal.toolCallEnd(end)
      const call = calls.get(end.id)
      calls.delete(end.id)
      if (call) onProgress({ runId, event: 'call', call, end })
    },
  }
}
