import type Anthropic from '@anthropic-ai/sdk'
import { itemOf, itemsOf, type Item, wordOf } from '../vendors/request.ts'
import type { Block } from './answer.ts'
import { newId } from './answer.ts'
import { marksOf } from './cache.ts'
import { blocksOf } from './conversation.ts'

// What Anthropic publishes of requests for /v1/messages, and what it is reported to insist on. The words are those of its errors, since programs read them.

/** Every field of a request; its client’s types say which there are. */
const FIELDS = {
  model: true,
  max_tokens: true,
  messages: true,
  cache_control: true,
  container: true,
  diagnostics: true,
  inference_geo: true,
  metadata: true,
  output_config: true,
  service_tier: true,
  speed: true,
  stop_sequences: true,
  stream: true,
  system: true,
  thinking: true,
  tool_choice: true,
  tools: true,
} satisfies Partial<Record<keyof Anthropic.MessageCreateParams, true>>
/** With the beta of its MCP connector. */
const BETA_FIELDS = { mcp_servers: true } satisfies Partial<Record<keyof Anthropic.Beta.Messages.MessageCreateParams, true>>

const MOST_MARKS = 4
const ID = /^[a-zA-Z0-9_-]+$/
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/
const isThought = ({ type }: Item) => type === 'thinking' || type === 'redacted_thinking'
const isThinking = (body: Item) => ['adaptive', 'enabled'].includes(wordOf(itemOf(body['thinking'])['type']))

/** Remembers what it thought, and wants to be told it as it was. */
export function createMessageRules() {
  /** Thoughts by their signatures. */
  const thoughts = new Map<string, string>()
  /** Calls that came with a thought. */
  const thoughtful = new Set<string>()

  function thoughtFault(body: Item): string | undefined {
    const messages = itemsOf(body['messages'])
    for (const [at, { role, content }] of messages.entries()) {
      if (role !== 'assistant') continue
      const blocks = blocksOf(content)
      if (isThought(blocks.at(-1) ?? {})) return `messages.${at}: The final block in an assistant message cannot be \`thinking\`.`
      const wrong = blocks.findIndex((one) => one['type'] === 'thinking' && thoughts.get(wordOf(one['signature'])) !== one['thinking'])
      if (wrong !== -1) return `messages.${at}.content.${wrong}: Invalid \`signature\` in \`thinking\` block`
    }
    const at = messages.findLastIndex(({ role }) => role === 'assistant')
    const last = blocksOf(messages[at]?.['content'])
    const isMissing = !isThought(last[0] ?? {}) && last.some(({ type, id }) => type === 'tool_use' && thoughtful.has(wordOf(id)))
    return isThinking(body) && isMissing
      ? `messages.${at}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${wordOf(last[0]?.['type'])}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks).`
      : undefined
  }

  return {
    /** Why a request is refused; undefined: it is taken. */
    refuse(body: Item, isBeta: boolean): string | undefined {
      const unknown = Object.keys(body).find((field) => !(field in FIELDS) && !(isBeta && field in BETA_FIELDS))
      if (unknown !== undefined) return `${unknown}: Extra inputs are not permitted`
      for (const field of ['model', 'messages', 'max_tokens']) if (body[field] === undefined) return `${field}: Field required`
      const marks = marksOf(body)
      if (marks > MOST_MARKS) return `A maximum of ${MOST_MARKS} blocks with cache_control may be provided. Found ${marks}.`
      return textFault(body) ?? pairFault(itemsOf(body['messages'])) ?? toolFault(body) ?? formatFault(body) ?? thoughtFault(body)
    },
    /** The blocks with what the model thought before them, where it is to think. */
    dress(blocks: Block[], body: Item): Block[] {
      if (!isThinking(body)) return blocks
      const [thinking, signature] = [`I think of ${newId('it')}.`, newId('sig')]
      thoughts.set(signature, thinking)
      for (const block of blocks) if (block.type === 'tool_use') thoughtful.add(block.id)
      return [{ type: 'thinking', thinking, signature }, ...blocks]
    },
  }
}

function textFault(body: Item): string | undefined {
  const messages = itemsOf(body['messages'])
  if (messages[0]?.['role'] !== 'user') return 'messages: first message must use the "user" role'
  const texts = [...blocksOf(body['system'] ?? []), ...messages.flatMap(({ content }) => blocksOf(content))].filter(
    ({ type }) => type === 'text',
  )
  if (texts.some(({ text }) => text === '')) return 'messages: text content blocks must be non-empty'
  if (texts.some(({ text }) => wordOf(text).trim() === '')) return 'messages: text content blocks must contain non-whitespace text'
  return messages.some(({ content }) => blocksOf(content).length === 0) ? 'messages: at least one content block is required' : undefined
}

/** Results stand first in the message after their calls, one for each. */
function pairFault(messages: readonly Item[]): string | undefined {
  const ids = new Set<string>()
  for (const [at, { role, content }] of messages.entries()) {
    const blocks = blocksOf(content)
    const uses = role === 'assistant' ? blocks.filter(({ type }) => type === 'tool_use') : []
    for (const [n, use] of uses.entries()) {
      const id = wordOf(use['id'])
      if (!ID.test(id)) return `messages.${at}.content.${n}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`
      if (ids.has(id)) return 'messages: `tool_use` ids must be unique'
      ids.add(id)
      if (Array.isArray(use['input']) || typeof use['input'] !== 'object' || use['input'] === null)
        return `messages.${at}.content.${n}.tool_use.input: Input should be a valid dictionary`
    }
    const next = blocksOf(messages[at + 1]?.['content'])
    const missing = uses.map(({ id }) => wordOf(id)).filter((id) => !next.some((one) => one['tool_use_id'] === id))
    if (missing.length > 0)
      return `messages.${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`
    if (role !== 'user') continue
    const results = blocks.filter(({ type }) => type === 'tool_result')
    const before = messages[at - 1]?.['role'] === 'assistant' ? blocksOf(messages[at - 1]?.['content']) : []
    const stray = results.find((one) => !before.some(({ type, id }) => type === 'tool_use' && id === one['tool_use_id']))
    if (stray)
      return `messages.${at}.content.0: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${wordOf(stray['tool_use_id'])}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`
    if (blocks.slice(0, results.length).some(({ type }) => type !== 'tool_result'))
      return `messages.${at}: \`tool_result\` blocks must come first in the content of a message.`
  }
  return undefined
}

function toolFault(body: Item): string | undefined {
  const tools = itemsOf(body['tools'])
  const usesTools = itemsOf(body['messages']).some(({ content }) => blocksOf(content).some(({ type }) => type === 'tool_use'))
  if (usesTools && tools.length === 0) return 'Requests which include `tool_use` or `tool_result` blocks must define tools.'
  for (const [at, tool] of tools.entries()) {
    if (tool['type'] === 'mcp_toolset') continue
    if (!TOOL_NAME.test(wordOf(tool['name']))) return `tools.${at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`
    const schema = itemOf(tool['input_schema'])
    if (schema['type'] !== 'object') return `tools.${at}.custom.input_schema.type: Field required`
    if (['oneOf', 'allOf', 'anyOf'].some((key) => key in schema))
      return `tools.${at}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level`
  }
  const choice = wordOf(itemOf(body['tool_choice'])['type'])
  if (choice !== '' && tools.length === 0) return 'tool_choice: may only be specified while providing tools'
  if ((choice === 'any' || choice === 'tool') && isThinking(body)) return 'Thinking may not be enabled when tool_choice forces tool use.'
  return undefined
}

/** The schema of an answer closes each of its objects. */
function formatFault(body: Item): string | undefined {
  const format = itemOf(itemOf(body['output_config'])['format'])
  return isOpen(format['schema'])
    ? "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
    : undefined
}

function isOpen(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.some(isOpen)
  if (typeof schema !== 'object' || schema === null) return false
  const fields = itemOf(schema)
  return (fields['type'] === 'object' && fields['additionalProperties'] !== false) || Object.values(fields).some(isOpen)
}
