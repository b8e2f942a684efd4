import { itemOf, itemsOf, type Item, wordOf } from '../vendors/request.ts'

// A request for /v1/messages as scripts and characters see one: as the Chat API has it.

/** Blocks of a message; a text stands for one. */
export const blocksOf = (content: unknown): Item[] => (typeof content === 'string' ? [{ type: 'text', text: content }] : itemsOf(content))

const textOf = (content: unknown): string =>
  blocksOf(content)
    .map((block) => wordOf(block['text']))
    .join('')

/** The request in the words of the Chat API. */
export function asChat(body: Item): Item & { model: string } {
  const { model, system, messages, tools, tool_choice: choice, output_config: config, stream, service_tier: tier } = body
  const told = textOf(system)
  return {
    model: wordOf(model),
    stream,
    service_tier: tier,
    messages: [...(told === '' ? [] : [{ role: 'system', content: told }]), ...itemsOf(messages).flatMap(asChatMessages)],
    ...(tools !== undefined && { tools: itemsOf(tools).map((tool) => ({ type: 'function', function: tool, mcp_toolset: tool })) }),
    tool_choice: itemOf(choice)['type'] === 'none' ? 'none' : undefined,
    response_format: config,
  }
}

function asChatMessages({ role, content }: Item): Item[] {
  const blocks = blocksOf(content)
  if (role === 'assistant') {
    const calls = blocks
      .filter(({ type }) => type === 'tool_use')
      .map(({ id, name, input }) => ({ id, function: { name, arguments: JSON.stringify(input) } }))
    return [{ role, content: textOf(blocks.filter(({ type }) => type === 'text')), ...(calls.length > 0 && { tool_calls: calls }) }]
  }
  const results = blocks.filter(({ type }) => type === 'tool_result')
  const text = textOf(blocks.filter(({ type }) => type === 'text'))
  return [
    ...results.map((one) => ({ role: 'tool', tool_call_id: one['tool_use_id'], content: textOf(one['content']) })),
    ...(text === '' ? [] : [{ role: 'user', content: text }]),
  ]
}
