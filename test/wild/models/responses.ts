import { isDeepStrictEqual } from 'node:util'
import { ACT, events, json, type Asked, type ModelCase, type Say } from './case.ts'

// Providers behind /v1/responses.

const message = (text: string, more: object = {}) => ({ type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text, annotations: [] }], ...more }) // prettier-ignore
const call = (n: number, more: object = {}) => ({ type: 'function_call', id: `fc_${n}`, call_id: `c${n}`, name: ACT, arguments: JSON.stringify({ n }), status: 'completed', ...more }) // prettier-ignore
const response = (output: unknown, more: object = {}) => ({ id: 'resp_1', object: 'response', model: 'm', status: 'completed', error: null, incomplete_details: null, output, ...more }) // prettier-ignore
const ended = (answer: object) => ({ type: 'response.completed', response: answer })
const item = (one: object, at = 0) => ({ type: 'response.output_item.done', output_index: at, item: one })
const all = (...output: readonly object[]): Say => events([{ type: 'response.created' }, ...output.map(item), ended(response(output))])
const done = all(message('done'))

const isItem = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const input = (asked: Asked) => (Array.isArray(asked['input']) ? asked['input'].filter(isItem) : [])

const r = (name: string, turns: Say[], expected: string, more: Partial<ModelCase> = {}): ModelCase => ({ name, api: 'responses', turns, expected, ...more }) // prettier-ignore
const answers = (name: string, first: Say, expected: string, more: Partial<ModelCase> = {}) => r(name, [first], expected, more)
const then = (name: string, first: Say, more: Partial<ModelCase> = {}, expected = 'ok: done; {"n":1}') =>
  r(name, [first, done], expected, more)
const whole = { stream: false }

const thought = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: null }
/** What is told again has to be what was said, field by field. */
const takesBack =
  (...said: readonly object[]) =>
  (asked: Asked) => {
    const told = input(asked).filter(({ role, type }) => role !== 'user' && type !== 'function_call_output')
    return told.length === 0 || isDeepStrictEqual(told, said) ? undefined : `not what was said: ${JSON.stringify(told)}`
  }

const commented = [thought, message('I act.', { id: 'msg_7', phase: 'commentary' }), call(1)]
const unknown = { type: 'compaction', id: 'cmp_1', encrypted_content: 'abc' }
const empty = { type: 'message', id: 'msg_2', role: 'assistant', content: [], status: 'completed' }

export const responsesCases: readonly ModelCase[] = [
  then('items with ids, states and a phase', all(...commented), { refuses: takesBack(...commented) }),
  then('an item of a kind of its own', all(unknown, call(1)), { refuses: takesBack(unknown, call(1)) }),
  then('a message without a text between thoughts and a call', all(thought, empty, call(1)), {
    refuses: takesBack(thought, empty, call(1)),
  }),
  then(
    'nothing that is stored: thoughts are encrypted, and no id is told',
    (res, asked) => {
      const isAsked = JSON.stringify(asked['include']) === '["reasoning.encrypted_content"]'
      all({ ...thought, encrypted_content: isAsked ? 'gAAA' : null }, call(1))(res, asked)
    },
    {
      store: false,
      refuses: (asked) => {
        const lost = input(asked).find((one) => 'id' in one || (one['type'] === 'reasoning' && !one['encrypted_content']))
        return lost && `Item with id '${String(lost['id'])}' not found. Items are not persisted when \`store\` is set to false.`
      },
    },
  ),
  then(
    'nothing that is stored, which nobody was told: ids are not found, and thoughts are asked for encrypted from then on',
    all(thought, call(1)),
    {
      refuses: (asked) => {
        const lost = input(asked).find((one) => 'id' in one || (one['type'] === 'reasoning' && !one['encrypted_content']))
        return lost && `Item with id '${String(lost['id'])}' not found. Items are not persisted for this organization.`
      },
    },
  ),
  r(
    'a text of its own, which it takes in the form of an answer alone',
    [
      events([
        ended(response([message('so far'), call(1)], { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } })),
      ]),
      done,
    ],
    'ok: done',
    {
      refuses: (asked) =>
        input(asked).some(({ role, type, content }) => role === 'assistant' && (type !== 'message' || !Array.isArray(content)))
          ? "Cannot determine type of 'item'"
          : undefined,
    },
  ),
  then('nothing that is stored, of a model whose thoughts are not encrypted', all({ ...thought, encrypted_content: undefined }, call(1)), {
    store: false,
    refuses: (asked) =>
      'include' in asked ? 'Encrypted content is not supported with this model.' : input(asked).some(({ type }) => type === 'reasoning') ? 'not found' : undefined, // prettier-ignore
  }),
  r('thoughts alone', [all(thought), done], 'ok: done', {
    refuses: (asked) =>
      input(asked).some(({ type }, at, list) => type === 'reasoning' && (list[at + 1]?.['role'] ?? 'user') === 'user')
        ? "Item 'rs_1' of type 'reasoning' was provided without its required following item."
        : undefined,
  }),
  then('a call without the id that its output names', all(call(1, { call_id: undefined })), {
    refuses: (asked) => {
      const [called, output] = ['function_call', 'function_call_output'].map(
        (type) => input(asked).find((one) => one['type'] === type)?.['call_id'],
      )
      return called === output && (output !== '' || called === undefined) ? undefined : 'No tool call found for function call output.'
    },
  }),
  r('an id that was used before', [all(call(1, { call_id: 'c' })), all(call(2, { call_id: 'c' })), done], 'ok: done; {"n":1}; {"n":2}', {
    refuses: (asked) => (input(asked).some((one) => 'call_id' in one && one['call_id'] !== 'c') ? 'whose call is this?' : undefined),
  }),
  answers('a last event without items', events([item(message('done')), ended(response([]))]), 'ok: done'),
  answers('a last event without a list of items', events([item(message('done')), ended(response(undefined))]), 'ok: done'),
  answers('a last event that has the items alone', events([ended(response([message('done')]))]), 'ok: done'),
  answers('a whole answer where a stream was asked for', json(response([message('done')])), 'ok: done'),
  answers('a stream where none was asked for', done, 'ok: done', whole),
  answers('a text instead of parts', json(response([message('', { content: 'done' })])), 'ok: done', whole),
  answers('no status', json(response([message('done')], { status: undefined })), 'ok: done', whole),
  ...['cancelled', 'queued', 'in_progress', 'a word of its own'].flatMap((status) => [
    answers(`a whole answer that is ${status}`, json(response([message('half')], { status })), 'MODEL_UNAVAILABLE', whole),
    answers(`a last event that is ${status}`, events([ended(response([message('half')], { status }))]), 'MODEL_UNAVAILABLE'),
  ]),
  answers('a stream without its last event', events([item(message('done'))]), 'MODEL_UNAVAILABLE'),
  answers('an answer that was cut', json(response([message('ha')], { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } })), 'ANSWER_CUT', whole), // prettier-ignore
  answers('an answer that was filtered', json(response([message('ha')], { status: 'incomplete', incomplete_details: { reason: 'content_filter' } })), 'MODEL_REFUSED', whole), // prettier-ignore
  ...(
    [
      [{ code: 'context_length_exceeded', message: 'It exceeds the context window' }, 'CONTEXT_FULL'],
      [{ code: 'rate_limit_exceeded', message: 'Wait.' }, 'MODEL_RATE_LIMITED'],
      [{ code: 'insufficient_quota', message: 'Pay.' }, 'MODEL_QUOTA'],
      [{ code: 'invalid_prompt', message: 'It was flagged.' }, 'MODEL_REFUSED'],
      [{ code: 'server_error', message: 'Oh.' }, 'MODEL_UNAVAILABLE'],
      [{ code: 'image_too_large', message: 'Oh.' }, 'MODEL_REJECTED'],
    ] as const
  ).flatMap(([error, code]) => [
    answers(
      `a last event that failed with ${error.code}`,
      events([{ type: 'response.failed', response: response([], { status: 'failed', error }) }]),
      code,
    ),
    answers(`an event of an error, ${error.code}`, events([{ type: 'error', ...error, param: null }]), code),
    answers(`a whole answer that failed with ${error.code}`, json(response([], { status: 'failed', error })), code, whole),
  ]),
]
