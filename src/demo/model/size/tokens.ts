import { itemsOf } from '../vendors/request.ts'

/** About four characters a token. */
export const tokensIn = (text: string): number => Math.ceil(text.length / 4)

/** What a request says to a model, in the order in which a cache looks at it: tools, instructions, and each item of the conversation. */
export function partsOf(request: Readonly<Record<string, unknown>>): string[] {
  const { tools, instructions, system, input, messages } = request
  const items = typeof input === 'string' ? [input] : [...itemsOf(input), ...itemsOf(messages)]
  return [tools, instructions ?? system, ...items].flatMap((part) => (part === undefined ? [] : [JSON.stringify(part)]))
}
