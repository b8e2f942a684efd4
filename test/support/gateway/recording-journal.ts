import type { GatewayRequestEnd, GatewayRequestRecord, Journal } from '../../../src/core/ports/journal.ts'

/** A journal that keeps what is written of gateway requests; nothing else may be written. */
export interface RecordingJournal extends Journal {
  requests: GatewayRequestRecord[]
  ends: GatewayRequestEnd[]
}

export function createRecordingJournal(): RecordingJournal {
  const requests: GatewayRequestRecord[] = []
  const ends: GatewayRequestEnd[] = []
  const unexpected = () => Promise.reject(new Error('only gateway requests are expected here'))
  return {
    requests,
    ends,
    gatewayRequest: async (record) => void requests.push(record),
    gatewayRequestEnd: async (end) => void ends.push(end),
    prompt: unexpected,
    turn: unexpected,
    response: unexpected,
    responseState: unexpected,
    toolCall: unexpected,
    toolCallRefused: unexpected,
    toolCallEnd: unexpected,
  }
}
