import type { Turn } from './responses.ts'
import { itemOf, itemsOf, wordOf } from './vendors/request.ts'

/** A call that was made, with what came of it. */
export interface SeenCall {
  name: string
  arguments: string
  result: string
}

/** A conversation as a model sees it, whatever API it came by. */
export interface Seen {
  /** All that it was told: instructions, and each message that is not its own. */
  told: string
  calls: SeenCall[]
  /** Its own answers so far. */
  said: string[]
  /** Names of the tools that it may call. */
  tools: string[]
  /** It may call nothing any more. */
  mustAnswer: boolean
  /** The format that it is asked for has a place for the result and one for giving up. */
  enveloped: boolean
}

/** A model that decides by what it sees. */
export type Character = (seen: Seen) => Turn

const textOf = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : itemsOf(content)
        .map((part) => wordOf(part['text']))
        .join('')

/** Reads a request of either API. */
export function seenOf(request: {
  text?: unknown
  response_format?: unknown
  input?: unknown
  messages?: unknown
  instructions?: unknown
  tools?: unknown
  tool_choice?: unknown
}): Seen {
  const items = [...itemsOf(request.input), ...itemsOf(request.messages)]
  const told = [wordOf(request.instructions)]
  const said: string[] = []
  const calls: SeenCall[] = []
  const byId = new Map<unknown, SeenCall>()
  const add = (id: unknown, name: unknown, args: unknown) => {
    const call = { name: wordOf(name), arguments: wordOf(args), result: '' }
    calls.push(call)
    byId.set(id, call)
  }
  for (const item of items) {
    const call = byId.get(item['call_id'] ?? item['tool_call_id'])
    if (item['type'] === 'function_call') add(item['call_id'], item['name'], item['arguments'])
    else if (item['type'] === 'function_call_output' && call) call.result = textOf(item['output'])
    else if (item['role'] === 'tool' && call) call.result = textOf(item['content'])
    else if (item['role'] === 'assistant') {
      for (const one of itemsOf(item['tool_calls'])) {
        const asked = itemOf(one['function'])
        add(one['id'], asked['name'], asked['arguments'])
      }
      const text = textOf(item['content'])
      if (text !== '') said.push(text)
    } else if (item['role'] !== undefined) told.push(textOf(item['content']))
  }
  const tools = itemsOf(request.tools).map(({ name, function: asked }) => wordOf(name) || wordOf(itemOf(asked)['name']))
  const format = JSON.stringify([request.text, request.response_format])
  return {
    told: told.join('\n'),
    calls,
    said,
    tools,
    mustAnswer: request.tool_choice === 'none' || tools.length === 0,
    enveloped: format.includes('"nothing_new"'),
  }
}
