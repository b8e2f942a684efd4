import { randomUUID } from 'node:crypto'
import type OpenAI from 'openai'
import { z } from 'zod'
import type { Note } from './script.ts'
import type { Counted } from './size/meter.ts'
import { tokensIn } from './size/tokens.ts'

/** What the scripted model says in a turn. */
export interface Turn {
  calls?: { name: string; arguments: string }[]
  text?: string
  refusal?: string
  notes?: Note[]
  stop: 'end' | 'cut' | 'filtered'
}

type Response = OpenAI.Responses.Response
type Event = OpenAI.Responses.ResponseStreamEvent

const id = (prefix: string) => `${prefix}_${randomUUID().replaceAll('-', '')}`

/** What an answer says again of its request. */
interface Asked {
  model: string
  input?: unknown
  instructions?: unknown
  tools?: unknown
  max_tool_calls?: number | undefined
  background?: boolean | undefined
  metadata?: unknown
  service_tier?: unknown
}

/** Tiers by which an answer may be made; what was asked for as `auto`, or not at all, is made by the first. */
export const tierOf = (asked: unknown): 'default' | 'flex' | 'priority' => (asked === 'flex' || asked === 'priority' ? asked : 'default')

const labelsSchema = z.record(z.string(), z.string()).catch({})

/** A whole answer of `/v1/responses`. */
export function responsesAnswer(request: Asked, turn: Turn, { inputTokens, cachedTokens }: Counted): Response {
  const output = outputOf(turn)
  const outputTokens = tokensIn(JSON.stringify(output))
  const incomplete = turn.stop !== 'end'
  return {
    id: id('resp'),
    access_programs: null,
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    status: incomplete ? 'incomplete' : 'completed',
    background: request.background === true,
    error: null,
    incomplete_details: incomplete ? { reason: turn.stop === 'cut' ? 'max_output_tokens' : 'content_filter' } : null,
    instructions: typeof request.instructions === 'string' ? request.instructions : null,
    max_output_tokens: null,
    model: request.model,
    output,
    output_text: '',
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    service_tier: tierOf(request.service_tier),
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage: {
      input_tokens: inputTokens,
      input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: inputTokens - cachedTokens },
      output_tokens: outputTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: inputTokens + outputTokens,
    },
    metadata: labelsSchema.parse(request.metadata),
    ...(request.max_tool_calls !== undefined && { max_tool_calls: request.max_tool_calls }),
  }
}

function outputOf(turn: Turn): Response['output'] {
  const notes = (turn.notes ?? []).map(messageOf)
  if (turn.calls)
    return [
      ...notes,
      ...turn.calls.map((call): Response['output'][number] => ({
        type: 'function_call',
        id: id('fc'),
        call_id: id('call'),
        ...call,
        status: 'completed',
      })),
    ]
  const content: OpenAI.Responses.ResponseOutputMessage['content'] =
    turn.refusal === undefined
      ? [{ type: 'output_text', text: turn.text ?? '', annotations: [], logprobs: [] }]
      : [{ type: 'refusal', refusal: turn.refusal }]
  const phase = turn.notes?.some(({ isMarked }) => isMarked) ? { phase: 'final_answer' as const } : {}
  return [
    ...notes,
    { type: 'message', id: id('msg'), role: 'assistant', status: turn.stop === 'end' ? 'completed' : 'incomplete', content, ...phase },
  ]
}

/** A message that is no part of the answer, whether it says so or not. */
export const messageOf = ({ text, isMarked }: Note): OpenAI.Responses.ResponseOutputMessage => ({
  type: 'message',
  id: id('msg'),
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  ...(isMarked && { phase: 'commentary' }),
})

export type WithoutNumber<E> = E extends unknown ? Omit<E, 'sequence_number'> : never

/** The same answer as the events of a stream. `output` of the last event may be left empty. */
export function responsesEvents(response: Response, output: 'whole' | 'empty' = 'whole'): Event[] {
  const { usage: _, ...unused } = response
  const started: Response = { ...unused, status: 'in_progress', output: [], incomplete_details: null }
  const events: WithoutNumber<Event>[] = [
    { type: 'response.created', response: started },
    { type: 'response.in_progress', response: started },
    ...response.output.flatMap((item, index) => itemEvents(item, index)),
    lastEvent({ ...response, ...(output === 'empty' && { output: [] }) }),
  ]
  return events.map((event, sequence_number) => ({ ...event, sequence_number }))
}

export const lastEvent = (response: Response): WithoutNumber<Event> =>
  response.status === 'incomplete' ? { type: 'response.incomplete', response } : { type: 'response.completed', response }

/** The events of one item of an answer. */
export function itemEvents(item: Response['output'][number], output_index: number): WithoutNumber<Event>[] {
  const done: WithoutNumber<Event> = { type: 'response.output_item.done', output_index, item }
  if (item.type === 'function_call') {
    const at = { item_id: item.id ?? '', output_index }
    // The published schema wants the name in the last event; the client's types do not know it.
    const named = { name: item.name }
    return [
      { type: 'response.output_item.added', output_index, item: { ...item, arguments: '', status: 'in_progress' } },
      { type: 'response.function_call_arguments.delta', ...at, delta: item.arguments },
      { type: 'response.function_call_arguments.done', ...at, arguments: item.arguments, ...named },
      done,
    ]
  }
  if (item.type !== 'message') return [done]
  const parts = item.content.flatMap((part, content_index): WithoutNumber<Event>[] => {
    const at = { item_id: item.id, output_index, content_index }
    if (part.type === 'refusal') {
      return [
        { type: 'response.content_part.added', ...at, part: { ...part, refusal: '' } },
        { type: 'response.refusal.delta', ...at, delta: part.refusal },
        { type: 'response.refusal.done', ...at, refusal: part.refusal },
        { type: 'response.content_part.done', ...at, part },
      ]
    }
    return [
      { type: 'response.content_part.added', ...at, part: { ...part, text: '' } },
      ...pieces(part.text).map((delta): WithoutNumber<Event> => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
      { type: 'response.output_text.done', ...at, text: part.text, logprobs: [] },
      { type: 'response.content_part.done', ...at, part },
    ]
  })
  return [{ type: 'response.output_item.added', output_index, item: { ...item, content: [], status: 'in_progress' } }, ...parts, done]
}

const PIECE = 64

function pieces(text: string): string[] {
  return Array.from({ length: Math.ceil(text.length / PIECE) }, (_, i) => text.slice(i * PIECE, (i + 1) * PIECE))
}
