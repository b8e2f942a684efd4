import { createResponsesRules, formatFault, metadataFault } from './openai-responses.ts'
import { itemOf, itemsOf, type Item, wordOf } from './request.ts'
import { badRequest, type Vendor } from './vendor.ts'

/** OpenAI itself, on both of its APIs. `reasons`: its models reason before each item. */
export function createOpenai({ reasons = false }: { reasons?: boolean } = {}): Vendor {
  const responses = createResponsesRules({ reasons })
  return {
    refuse: (api, body) => (api === 'responses' ? responses.refuse(body) : refuseChat(body)),
    dressResponse: (answer, body) => responses.dress(answer, body),
    dressCompletion: (answer) => answer,
  }
}

function refuseChat(body: Item) {
  const fault = conversationFault(itemsOf(body['messages']))
  if (fault !== undefined) return badRequest(fault, { param: 'messages' })
  if (body['metadata'] !== undefined && body['store'] !== true)
    return badRequest("The 'metadata' parameter is only allowed when 'store' is enabled.", { param: 'metadata' })
  return metadataFault(body) ?? formatFault(itemOf(itemOf(body['response_format'])['json_schema']))
}

/** Calls are followed by their results, and results follow calls. */
function conversationFault(messages: readonly Item[]): string | undefined {
  let open = new Set<string>()
  for (const [at, message] of messages.entries()) {
    if (message['role'] === 'tool') {
      if (!open.delete(wordOf(message['tool_call_id'])))
        return "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
      continue
    }
    if (open.size > 0)
      return `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${[...open].join(', ')}`
    if (Array.isArray(message['tool_calls']) && message['tool_calls'].length === 0) return `[] is too short - 'messages.${at}.tool_calls'`
    open = new Set(itemsOf(message['tool_calls']).map(({ id }) => wordOf(id)))
  }
  return undefined
}
