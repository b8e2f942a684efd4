import { fieldsIn, listIn, type Fields } from '../../foreign.ts'
import { withoutField } from '../../raw/keep.ts'
import { ENCRYPTED, unstored } from './response-items.ts'

// What a server may not take in what a model said, although it came from there.

const KNOWN_IN_MESSAGE = new Set(['role', 'content', 'tool_calls'])
const KNOWN_IN_CALL = new Set(['id', 'type', 'function'])
const KNOWN_IN_ITEM = new Set(['type', 'role', 'content', 'id', 'call_id', 'name', 'arguments', 'summary', 'encrypted_content'])

const saidIn = (body: object): Fields[] => listIn(fieldsIn(body)['messages']).filter(({ role }) => role === 'assistant')

const inputIn = (body: object): readonly Fields[] => listIn(fieldsIn(body)['input'])
const isSaid = ({ role, type }: Fields) => role !== 'user' && type !== 'function_call_output'

/** What the name of a field looks like: it is told to people. */
const NAME = /^\w{1,64}$/

/** Names of fields that came beside the words of a message or an item, or in its calls. */
export function namesBeside(body: object): string[] {
  const said = saidIn(body)
  const beside = (fields: Fields, known: ReadonlySet<string>) => Object.keys(fields).filter((name) => !known.has(name) && NAME.test(name))
  return [
    ...new Set([
      ...said.flatMap((message) => beside(message, KNOWN_IN_MESSAGE)),
      ...said.flatMap(({ tool_calls: calls }) => listIn(calls).flatMap((call) => beside(call, KNOWN_IN_CALL))),
      ...inputIn(body).flatMap((item) => (isSaid(item) ? beside(item, KNOWN_IN_ITEM) : [])),
    ]),
  ]
}

const mapSaid = (body: object, change: (message: Fields) => Fields): object => ({
  ...body,
  messages: listIn(fieldsIn(body)['messages']).map((message) => (message['role'] === 'assistant' ? change(message) : message)),
})

/** The request without that field in what the model said. */
export function withoutBeside(body: object, name: string): object {
  if (!('messages' in body)) return { ...body, input: inputIn(body).map((item) => (isSaid(item) ? withoutField(item, name) : item)) }
  return mapSaid(body, (message) => {
    const calls = message['tool_calls']
    const rest = withoutField(message, name)
    return calls === undefined ? rest : { ...rest, tool_calls: listIn(calls).map((call) => withoutField(call, name)) }
  })
}

/** Whether a message has calls alone. */
export const hasNoContent = (body: object): boolean => saidIn(body).some((message) => !('content' in message))

/** The request with an empty text in such messages. */
export const withContent = (body: object): object => mapSaid(body, (message) => ({ content: '', ...message }))

const isEmpty = ({ role, content, tool_calls: calls }: Fields) => role === 'assistant' && content === '' && calls === undefined

/** Whether the model once said nothing at all. */
export const hasEmpty = (body: object): boolean => saidIn(body).some(isEmpty)

/** The request without those messages. */
export const withoutEmpty = (body: object): object => ({
  ...body,
  messages: listIn(fieldsIn(body)['messages']).filter((message) => !isEmpty(message)),
})

const isPlain = ({ role, content }: Fields) => role === 'assistant' && typeof content === 'string'

/** Whether a message of the model is told as a text. */
export const hasPlain = (body: object): boolean => inputIn(body).some(isPlain)

/** The request with such messages in the form in which a model gives them. */
export const withoutPlain = (body: object): object => ({
  ...body,
  input: inputIn(body).map((item) =>
    isPlain(item)
      ? {
          type: 'message',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: item['content'], annotations: [] }],
        }
      : item,
  ),
})

/** Whether what the model said is told with ids, by which the provider finds what it keeps. */
export const hasIds = (body: object): boolean => inputIn(body).some((item) => isSaid(item) && 'id' in item)

/** The request without them, and without thoughts that cannot be read then; from now on they are asked for encrypted. */
export const withoutIds = (body: object): object => ({
  ...body,
  input: inputIn(body).flatMap((item) => (isSaid(item) ? unstored(item) : [item])),
  include: ENCRYPTED,
})
