import type { TurnItem, Usage } from '../../core/run.ts'
import { brokenAnswer, type Answered } from '../errors/endings.ts'
import { fieldsIn, idIn, textIn, tierIn, usageIn, type Fields } from '../foreign.ts'
import type { ModelTurn } from '../model.ts'
import type { Origin } from '../raw/keep.ts'
import { itemsOfBlocks } from './blocks.ts'
import { messageEnding } from './ending.ts'
import type { MessageAnswer } from './stream.ts'

/** What an answer says; with `from`, as it is told again. Throws where it did not end as an answer does. */
export function turnOf(answer: MessageAnswer, answered: Answered, from?: Origin): ModelTurn {
  const { id, model, content, reason, details, usage } = answer
  const stopReason = messageEnding(reason, answered)
  const items = itemsOfBlocks(content, from)
  if (reason === 'tool_use' && !items.some(({ type }) => type === 'tool_call'))
    throw brokenAnswer(answered, 'says that it calls a tool, and calls none')
  const tier = tierIn(usage['service_tier'])
  return {
    items: stopReason === 'filtered' ? [...items, refusalOf(details)] : items,
    stopReason,
    usage: usageOf(usage, items.length > 0),
    responseId: idIn(id) ?? null,
    providerRequestId: answered.requestId,
    model: idIn(model) ?? answered.model,
    ...(tier !== undefined && { tier: tier === 'standard' ? 'default' : tier }),
  }
}

function refusalOf(details: unknown): TurnItem {
  const { explanation, category } = fieldsIn(details)
  const why = textIn(explanation) ?? textIn(category)
  return { type: 'refusal', text: why === undefined || why.trim() === '' ? 'the provider stopped the answer (stop_reason: refusal)' : why }
}

/** Input is what was read anew, from the cache, and into it. */
export function usageOf(usage: Fields, saysSomething: boolean): Usage | null {
  const { input_tokens: fresh, cache_read_input_tokens: cached, cache_creation_input_tokens: cacheWrite } = usage
  const { output_tokens: output, output_tokens_details: wrote } = usage
  const input = fresh === undefined || fresh === null ? undefined : sumOf([fresh, cached, cacheWrite])
  return usageIn({ input, cached, cacheWrite, output, reasoning: fieldsIn(wrote)['thinking_tokens'] }, saysSomething)
}

/** The sum of counts that are there; NaN where one is none. */
const sumOf = (counts: readonly unknown[]): number => counts.reduce<number>((sum, one) => sum + Number(one ?? 0), 0)
