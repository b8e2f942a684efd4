import { createHash } from 'node:crypto'
import type { GatewayFetch } from '../../../src/core/ports/gateway.ts'
import type {
  GatewayRequestEnd,
  GatewayRequestRecord,
  Journal,
  ToolCallEnd,
  ToolCallRecord,
  TurnRecord,
  UnseenAnswer,
} from '../../../src/core/ports/journal.ts'
import { createDispatcher } from '../../../src/pomerium/dispatcher.ts'
import { createGatewayFetch } from '../../../src/pomerium/fetch.ts'

/** A journal that keeps what is written, to be read in the same process. */
export interface RecordingJournal extends Journal {
  turns: TurnRecord[]
  unseen: UnseenAnswer[]
  calls: ToolCallRecord[]
  ends: ToolCallEnd[]
  requests: GatewayRequestRecord[]
  requestEnds: GatewayRequestEnd[]
  /** What is kept, by its digest. */
  contents: Map<string, Buffer>
}

export function createRecordingJournal(): RecordingJournal {
  const turns: TurnRecord[] = []
  const unseen: UnseenAnswer[] = []
  const calls: ToolCallRecord[] = []
  const ends: ToolCallEnd[] = []
  const requests: GatewayRequestRecord[] = []
  const requestEnds: GatewayRequestEnd[] = []
  const contents = new Map<string, Buffer>()
  return {
    contents,
    keepContent: async ({ content }) => {
      const digest = createHash('sha256').update(content).digest('hex')
      contents.set(digest, content)
      return { digest, bytes: content.length }
    },
    readContent: async (digest) => contents.get(digest),
    turns,
    unseen,
    calls,
    ends,
    requests,
    requestEnds,
    prompt: async () => {},
    turn: async (record) => void turns.push(record),
    unseenAnswer: async (record) => void unseen.push(record),
    response: async () => {},
    responseState: async () => {},
    toolCall: async (record) => void calls.push(record),
    toolCallRefused: async (record, end) => {
      calls.push(record)
      ends.push(end)
    },
    toolCallDetails: async () => {},
    lostCalls: async () => {},
    toolCallEnd: async (end) => void ends.push(end),
    gatewayRequest: async (record) => void requests.push(record),
    gatewayRequestEnd: async (end) => void requestEnds.push(end),
  }
}

export interface GatewayLine extends AsyncDisposable {
  fetch: GatewayFetch
  journal: RecordingJournal
}

/** The gateway's own fetch, to a server that stands where the gateway would. */
export function openGatewayLine({ maxResponseBytes = 1_048_576 } = {}): GatewayLine {
  const dispatcher = createDispatcher({})
  const journal = createRecordingJournal()
  const token = { userId: 'svc-reports', jwt: 'header.payload.signature', accountId: 'account-1', expiresAt: undefined }
  return {
    journal,
    fetch: createGatewayFetch({
      dispatcher,
      account: 'reports',
      tokens: { current: () => token },
      runId: '00000000-0000-4000-8000-000000000001',
      journal,
      maxResponseBytes,
      redact: (text) => text,
    }),
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  }
}
