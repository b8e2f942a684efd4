import { randomUUID } from 'node:crypto'
import type OpenAI from 'openai'
import { tierOf, type Turn } from './responses.ts'
import type { Counted } from './size/meter.ts'
import { tokensIn } from './size/tokens.ts'

type Completion = OpenAI.Chat.ChatCompletion
type Chunk = OpenAI.Chat.ChatCompletionChunk

const FINISH = { cut: 'length', filtered: 'content_filter' } as const

/** A whole answer of `/v1/chat/completions`. */
export function chatAnswer(
  request: { model: string; service_tier?: unknown },
  turn: Turn,
  { inputTokens, cachedTokens }: Counted,
): Completion {
  const calls = turn.calls?.map((call) => ({ id: `call_${randomUUID().replaceAll('-', '')}`, type: 'function' as const, function: call }))
  const outputTokens = tokensIn(JSON.stringify(turn))
  return {
    id: `chatcmpl-${randomUUID()}`,
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1000),
    model: request.model,
    service_tier: tierOf(request.service_tier),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: textOf(turn), refusal: turn.refusal ?? null, ...(calls && { tool_calls: calls }) },
        finish_reason: calls ? 'tool_calls' : turn.stop === 'end' ? 'stop' : FINISH[turn.stop],
        logprobs: null,
      },
    ],
    usage: {
      prompt_tokens: inputTokens,
      completion_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
      prompt_tokens_details: { cached_tokens: cachedTokens },
    },
  }
}

/** This API has one text: what was said before stands in it. */
function textOf({ text, notes = [] }: Turn): string | null {
  const all = [...notes.map((note) => note.text), ...(text === undefined ? [] : [text])]
  return all.length === 0 ? null : all.join('\n\n')
}

const KNOWN = new Set(['role', 'content', 'refusal', 'tool_calls'])

/** The same answer in pieces. */
export function chatChunks(answer: Completion): Chunk[] {
  const [choice] = answer.choices
  const base = {
    id: answer.id,
    object: 'chat.completion.chunk' as const,
    created: answer.created,
    model: answer.model,
    service_tier: answer.service_tier ?? null,
  }
  const delta = (part: Chunk['choices'][number]['delta'], finish_reason: Chunk['choices'][number]['finish_reason'] = null): Chunk => ({
    ...base,
    choices: [{ index: 0, delta: part, finish_reason, logprobs: null }],
  })
  const calls = (choice?.message.tool_calls ?? []).flatMap((call, index) => {
    if (call.type !== 'function') return []
    // What a vendor puts beside a call comes with its first piece.
    return [
      delta({ tool_calls: [{ ...call, index, function: { name: call.function.name, arguments: '' } }] }),
      delta({ tool_calls: [{ index, function: { arguments: call.function.arguments } }] }),
    ]
  })
  const beside = Object.fromEntries(Object.entries(choice?.message ?? {}).filter(([key]) => !KNOWN.has(key)))
  // What a vendor says of the prompt comes first, in a piece without a choice.
  const ofPrompt = Object.entries(answer).filter(([key]) => key.startsWith('prompt_'))
  return [
    ...(ofPrompt.length > 0 ? [{ ...base, choices: [], ...Object.fromEntries(ofPrompt) }] : []),
    delta({ role: 'assistant', content: '' }),
    ...(Object.keys(beside).length > 0 ? [delta(beside)] : []),
    ...(choice?.message.content ? [delta({ content: choice.message.content })] : []),
    ...(choice?.message.refusal ? [delta({ refusal: choice.message.refusal })] : []),
    ...calls,
    delta({}, choice?.finish_reason ?? 'stop'),
    { ...base, choices: [], usage: answer.usage ?? null },
  ]
}
