import { randomUUID } from 'node:crypto'
import type Anthropic from '@anthropic-ai/sdk'
import type { Turn } from '../responses.ts'
import type { CountedMessage } from './cache.ts'

export type Message = Anthropic.Beta.BetaMessage
export type Block = Message['content'][number]
export type StreamEvent = Anthropic.Beta.BetaRawMessageStreamEvent

export const newId = (prefix: string) => `${prefix}_${randomUUID().replaceAll('-', '').slice(0, 24)}`

/** Without citations the field is left out, as the service does it, and not null, as its client has it. */
// oxlint-disable-next-line no-unsafe-type-assertion -- see above
export const textBlock = (text: string): Block => ({ type: 'text', text }) as Block

/** How an answer ended. */
type Ending = Pick<Message, 'stop_reason' | 'stop_details'>

/** The blocks that a turn says. */
export function blocksOfTurn(turn: Turn): Block[] {
  const texts = [...(turn.notes ?? []).map(({ text }) => text), ...(turn.calls || turn.text === undefined ? [] : [turn.text])]
  return [
    ...texts.filter((text) => text !== '').map(textBlock),
    ...(turn.calls ?? []).map((call): Block => ({
      type: 'tool_use',
      id: newId('toolu'),
      name: call.name,
      input: JSON.parse(call.arguments),
      caller: { type: 'direct' },
    })),
  ]
}

export function endingOf(turn: Turn): Ending {
  const refused = { stop_details: { type: 'refusal', category: null, explanation: turn.refusal ?? null, fallback_credit_token: null, fallback_has_prefill_claim: null, recommended_model: null } } as const // prettier-ignore
  if (turn.refusal !== undefined || turn.stop === 'filtered') return { stop_reason: 'refusal', ...refused }
  if (turn.stop === 'cut') return { stop_reason: 'max_tokens', stop_details: null }
  return { stop_reason: turn.calls ? 'tool_use' : 'end_turn', stop_details: null }
}

/** A whole answer of `/v1/messages`. */
export function messageOf(
  { model, tier }: { model: string; tier: unknown },
  content: Block[],
  ending: Ending,
  { inputTokens, cachedTokens, writtenTokens, outputTokens }: CountedMessage & { outputTokens: number },
): Message {
  return {
    id: newId('msg'),
    type: 'message',
    role: 'assistant',
    model,
    content,
    container: null,
    context_management: null,
    diagnostics: null,
    stop_sequence: null,
    ...ending,
    usage: {
      cache_creation: { ephemeral_1h_input_tokens: 0, ephemeral_5m_input_tokens: writtenTokens },
      cache_creation_input_tokens: writtenTokens,
      cache_read_input_tokens: cachedTokens,
      fallback_credit: null,
      inference_geo: null,
      input_tokens: inputTokens - cachedTokens - writtenTokens,
      iterations: null,
      output_tokens: outputTokens,
      output_tokens_details: { thinking_tokens: 0 },
      server_tool_use: null,
      service_tier: tier === 'auto' ? 'priority' : 'standard',
      speed: null,
    },
  }
}

const PIECE = 64
const pieces = (text: string): string[] =>
  Array.from({ length: Math.ceil(text.length / PIECE) }, (_, i) => text.slice(i * PIECE, (i + 1) * PIECE))

/** The events of one block. */
export function blockEvents(block: Block, index: number): StreamEvent[] {
  const start = (content_block: Block): StreamEvent => ({ type: 'content_block_start', index, content_block })
  const stop: StreamEvent = { type: 'content_block_stop', index }
  if (block.type === 'text')
    return [
      start({ ...block, text: '' }),
      ...pieces(block.text).map((text): StreamEvent => ({ type: 'content_block_delta', index, delta: { type: 'text_delta', text } })),
      stop,
    ]
  if (block.type === 'tool_use' || block.type === 'mcp_tool_use')
    return [
      start({ ...block, input: {} }),
      ...pieces(JSON.stringify(block.input)).map((partial_json): StreamEvent => ({
        type: 'content_block_delta',
        index,
        delta: { type: 'input_json_delta', partial_json },
      })),
      stop,
    ]
  if (block.type === 'thinking')
    return [
      start({ ...block, thinking: '', signature: '' }),
      {
        type: 'content_block_delta',
        index,
        delta: { type: 'thinking_delta', thinking: block.thinking, estimated_tokens: null },
      },
      { type: 'content_block_delta', index, delta: { type: 'signature_delta', signature: block.signature } },
      stop,
    ]
  return [start(block), stop]
}

export const startEvent = (message: Message): StreamEvent => ({
  type: 'message_start',
  message: { ...message, content: [], stop_reason: null, stop_details: null, usage: { ...message.usage, output_tokens: 1 } },
})

export function endEvents({ stop_reason, stop_details, stop_sequence, container, usage, context_management }: Message): StreamEvent[] {
  const { cache_creation_input_tokens, cache_read_input_tokens, input_tokens, output_tokens, output_tokens_details } = usage
  return [
    {
      type: 'message_delta',
      context_management,
      delta: { stop_reason, stop_details, stop_sequence, container },
      usage: {
        cache_creation_input_tokens,
        cache_read_input_tokens,
        fallback_credit: null,
        input_tokens,
        iterations: null,
        output_tokens,
        output_tokens_details,
        server_tool_use: null,
      },
    },
    { type: 'message_stop' },
  ]
}

/** The same answer as the events of a stream. */
export const messageEvents = (message: Message): StreamEvent[] => [
  startEvent(message),
  ...message.content.flatMap(blockEvents),
  ...endEvents(message),
]
