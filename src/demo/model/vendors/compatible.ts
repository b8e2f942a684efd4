import { randomUUID } from 'node:crypto'
import { itemOf, itemsOf, type Item, wordOf } from './request.ts'
import { badRequest, plain, type Refusal, type Vendor } from './vendor.ts'

// What other vendors are reported to insist on at their /v1/chat/completions. The words are those of their errors, since programs read them.

const assistants = (body: Item): Item[] => itemsOf(body['messages']).filter(({ role }) => role === 'assistant')
const callsOf = (message: Item): Item[] => itemsOf(message['tool_calls'])
const formatOf = (body: Item): string => wordOf(itemOf(body['response_format'])['type'])
const hasTools = (body: Item): boolean => itemsOf(body['tools']).length > 0

/** Thinks aloud, wants to be told its thoughts on a call again, and has no format by a schema. */
export const createDeepseek = (): Vendor => ({
  ...plain,
  refuse(_, body) {
    if (formatOf(body) === 'json_schema') return badRequest('This response_format type is unavailable now')
    if (body['tool_choice'] === 'required') return badRequest('deepseek-reasoner does not support this tool_choice')
    const at = assistants(body).findIndex((message) => callsOf(message).length > 0 && wordOf(message['reasoning_content']) === '')
    return at === -1 ? undefined : badRequest(`Missing \`reasoning_content\` field in the assistant message at message index ${at}.`)
  },
  dressCompletion: (answer) => ({
    ...answer,
    choices: answer.choices.map((choice) => ({ ...choice, message: { ...choice.message, reasoning_content: 'First I think.' } })),
  }),
})

/** Signs the first call of a turn, and wants the signature back as it was. Its errors are a list. */
export function createGemini(): Vendor {
  const signatures = new Set<string>()
  const refusal = (message: string): Refusal => ({ status: 400, body: [{ error: { code: 400, message, status: 'INVALID_ARGUMENT' } }] })
  const signatureOf = (call: Item): string => wordOf(itemOf(itemOf(call['extra_content'])['google'])['thought_signature'])
  return {
    ...plain,
    refuse(_, body) {
      if (formatOf(body) === 'json_schema' && hasTools(body))
        return refusal("Function calling with a response mime type: 'application/json' is unsupported")
      const unsigned = assistants(body).some((message) => {
        const [first] = callsOf(message)
        return first !== undefined && !signatures.has(signatureOf(first))
      })
      return unsigned ? refusal('Function call is missing a thought_signature in functionCall parts.') : undefined
    },
    dressCompletion(answer) {
      const signature = randomUUID()
      signatures.add(signature)
      const signed = { extra_content: { google: { thought_signature: signature } } }
      return {
        ...answer,
        choices: answer.choices.map((choice) => {
          const calls = choice.message.tool_calls?.map((call, at) => (at === 0 ? { ...call, ...signed } : call))
          return { ...choice, message: { ...choice.message, ...(calls && { tool_calls: calls }) } }
        }),
      }
    },
  }
}

const MISTRAL_FIELDS = new Set([
  'model',
  'messages',
  'tools',
  'tool_choice',
  'response_format',
  'stream',
  'temperature',
  'max_tokens',
  'parallel_tool_calls',
  'metadata',
])
const MISTRAL_ID = /^[A-Za-z0-9]{9}$/

/** Knows its own fields alone, names calls with nine letters, and takes no word of the user right after a result. */
export const createMistral = (): Vendor => ({
  ...plain,
  refuse(_, body) {
    const unknown = Object.keys(body).find((field) => !MISTRAL_FIELDS.has(field))
    if (unknown !== undefined) {
      const detail = [{ type: 'extra_forbidden', loc: ['body', unknown], msg: 'Extra inputs are not permitted', input: body[unknown] }]
      return { status: 422, body: { object: 'error', message: { detail }, type: 'invalid_request_error', param: null, code: null } }
    }
    const messages = itemsOf(body['messages'])
    const id = messages.flatMap(callsOf).map((call) => wordOf(call['id'])).find((one) => !MISTRAL_ID.test(one)) // prettier-ignore
    if (id !== undefined) return badRequest(`Tool call id was ${id} but must be a-z, A-Z, 0-9, with a length of 9.`)
    const at = messages.findIndex(({ role }, n) => role === 'user' && messages[n - 1]?.['role'] === 'tool')
    return at === -1 ? undefined : badRequest("Unexpected role 'user' after role 'tool'")
  },
  dressCompletion: (answer) => ({
    ...answer,
    choices: answer.choices.map((choice) => {
      const calls = choice.message.tool_calls?.map((call) => ({ ...call, id: randomUUID().replaceAll('-', '').slice(0, 9) }))
      return { ...choice, message: { ...choice.message, ...(calls && { tool_calls: calls }) } }
    }),
  }),
})

/** Passes messages on to an API that takes no text without a letter. */
export const createBedrock = (): Vendor => ({
  ...plain,
  refuse(_, body) {
    const isEmpty = itemsOf(body['messages']).some(({ content }) => content === '')
    return isEmpty ? badRequest('messages: text content blocks must be non-empty') : undefined
  },
})

/** Wants its version in the address and the key in a header of its own, and says what its filters made of the prompt and of the answer. */
export const createAzure = (): Vendor => ({
  ...plain,
  keyHeader: 'api-key',
  query: 'api-version',
  dressCompletion: (answer) => ({
    ...answer,
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: { hate: { filtered: false, severity: 'safe' } } }],
    choices: answer.choices.map((choice) => ({
      ...choice,
      content_filter_results: { error: { code: 'content_filter_error', message: 'The contents are not filtered' } },
    })),
  }),
})

/** Takes no format while there are tools. */
export const createGroq = (): Vendor => ({
  ...plain,
  refuse: (_, body) =>
    formatOf(body) !== '' && hasTools(body) ? badRequest('json mode cannot be combined with tool/function calling') : undefined,
})
