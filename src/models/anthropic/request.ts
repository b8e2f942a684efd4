import type Anthropic from '@anthropic-ai/sdk'
import type { ModelSettings } from '../../core/models/settings.ts'
import type { Exchange, ModelRequest, ToldResult } from '../model.ts'
import type { Fields } from '../foreign.ts'
import type { Origin } from '../raw/keep.ts'
import { toolChoiceOf } from '../tool-choice.ts'
import { isBlank, toldBlocks, wireId } from './blocks.ts'

/** Its client has left `temperature` out; models of before it, and other servers, take it. */
type Create = Anthropic.MessageCreateParamsNonStreaming & { temperature?: number }
type Message = Anthropic.MessageParam

/** Most tokens of an answer that are asked for where nobody says how many: the API wants a number, and counts it as used until the answer is there. */
export const ANSWER_TOKENS = 32_000

export interface BodyOptions {
  model: string
  from: Origin
  /** The provider is told whose a request is. */
  labels: boolean
  /** Most tokens of an answer that the model gives, where that is known. */
  maxTokens?: number | undefined
}

/** The body of a request of a local run. */
export function bodyOf(request: ModelRequest, { model, from, labels, maxTokens }: BodyOptions): Create {
  const { instructions, settings, output } = request
  const tools = request.tools.length > 0 ? request.tools : calledIn(request.exchanges)
  const choice = toolChoiceOf({ ...request, tools, mayCall: request.mayCall && request.tools.length > 0 }, (name) => ({
    type: 'tool' as const,
    name,
  }))
  return {
    model,
    max_tokens: answerTokens(settings, maxTokens),
    ...systemOf(instructions),
    ...(tools.length > 0 && { tools: tools.map((tool, at) => toolOf(tool, at === tools.length - 1 && instructions === undefined)) }),
    ...(choice !== undefined && { tool_choice: choice === 'none' ? { type: 'none' } : choice === 'required' ? { type: 'any' } : choice }),
    messages: withBreakpoints(messagesOf(request, from)),
    ...settingFields(settings, output, choice !== undefined && choice !== 'none'),
    ...labelFields(request.labels, labels),
  }
}

/** How many tokens an answer may have. */
export const answerTokens = (settings: ModelSettings | undefined, maxTokens = ANSWER_TOKENS): number =>
  settings?.maxOutputTokens ?? Math.min(maxTokens, ANSWER_TOKENS)

export const systemOf = (instructions: string | undefined): Pick<Create, 'system'> =>
  instructions === undefined || isBlank(instructions) ? {} : { system: [{ type: 'text', text: instructions, ...CACHED }] }

/** Calls of before are refused without tools: where none may be called any more, those that they were of are named. */
const calledIn = (exchanges: readonly Exchange[]): ModelRequest['tools'] =>
  [...new Set(exchanges.flatMap(({ items }) => items.flatMap((item) => (item.type === 'tool_call' ? [item.name] : []))))].map((name) => ({
    name,
    description: '',
    parameters: { type: 'object' },
  }))

/** How the model works, and the form of its answer. */
export function settingFields(
  settings: ModelSettings | undefined,
  output: ModelRequest['output'],
  mustCall = false,
): Pick<Create, 'thinking' | 'temperature' | 'service_tier' | 'output_config'> {
  const { effort, temperature, tier } = settings ?? {}
  const config: Anthropic.OutputConfig = {
    // Not to think at all is no effort of this API, and `minimal` is none either (core/rules/models/settings.ts).
    ...(effort !== undefined && effort !== 'none' && effort !== 'minimal' && { effort }),
    ...(output && { format: { type: 'json_schema', schema: output.schema } }),
  }
  return {
    // A model that is made to call something cannot think before it.
    ...(effort !== undefined && !mustCall && { thinking: { type: effort === 'none' ? 'disabled' : 'adaptive' } }),
    ...(temperature !== undefined && { temperature }),
    ...(tier !== undefined && { service_tier: tier === 'priority' ? 'auto' : 'standard_only' }),
    ...(Object.keys(config).length > 0 && { output_config: config }),
  }
}

export const labelFields = (labels: ModelRequest['labels'], isTold: boolean): Pick<Create, 'metadata'> =>
  labels && isTold ? { metadata: { user_id: labels.user } } : {}

/** Marks where what comes before is kept by the provider. */
export const CACHED = { cache_control: { type: 'ephemeral' as const } }

/** The schema of arguments at its top has no alternatives in this API: they are checked before a call is made. */
function toolOf({ name, description, parameters }: ModelRequest['tools'][number], isLast: boolean): Anthropic.Tool {
  const { oneOf: _one, anyOf: _any, allOf: _all, ...schema } = parameters
  return {
    name,
    ...(description !== undefined && !isBlank(description) && { description }),
    input_schema: { ...schema, type: 'object' },
    ...(isLast && CACHED),
  }
}

/** The conversation: messages of the user and of the assistant by turns. */
function messagesOf({ prompt, exchanges }: ModelRequest, from: Origin): Message[] {
  const messages: Message[] = []
  const say = (role: 'user' | 'assistant', blocks: readonly Fields[]) => {
    if (blocks.length === 0) return
    // oxlint-disable-next-line no-unsafe-type-assertion -- resent as it came
    const content = blocks as unknown as Anthropic.ContentBlockParam[]
    const last = messages.at(-1)
    if (last?.role === role && Array.isArray(last.content)) last.content.push(...content)
    else messages.push({ role, content: [...content] })
  }
  say('user', textOf(prompt))
  for (const { items, results, reply } of exchanges) {
    say('assistant', toldBlocks(items, from))
    say('user', [...results.map(resultOf), ...textOf(reply)])
  }
  return messages
}

const textOf = (text: Exchange['reply']): Fields[] => (text === undefined || isBlank(text) ? [] : [{ type: 'text', text }])

/** Results come first in what the user says. */
function resultOf({ callId, text, images = [], isError }: ToldResult): Fields {
  const shown = images.map(({ mediaType, data }) => ({ type: 'image', source: { type: 'base64', media_type: mediaType, data } }))
  return {
    type: 'tool_result',
    tool_use_id: wireId(callId),
    ...(shown.length > 0 ? { content: [...textOf(text), ...shown] } : !isBlank(text) && { content: text }),
    ...(isError && { is_error: true }),
  }
}

/** Ends of the conversation that the provider keeps: as it is now, and as it was when it was last asked, where it finds what it kept. */
const MARKED = 2

/** The conversation with marks at its end. What they stand on does not change by them. */
function withBreakpoints(messages: readonly Message[]): Message[] {
  const marked = new Set(messages.filter(({ role }) => role === 'user').slice(-MARKED))
  return messages.map((message) => {
    const { role, content } = message
    if (role !== 'user' || !marked.has(message) || !Array.isArray(content)) return message
    return { role, content: content.map((block, at) => (at === content.length - 1 ? Object.assign({}, block, CACHED) : block)) }
  })
}
