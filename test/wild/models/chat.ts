import { ACT, events, json, type Asked, type ModelCase, type Say } from './case.ts'

// Providers behind /v1/chat/completions.

const DONE = 'data: [DONE]\n\n'
const call = (n: number, more: object = {}, id: string | undefined = `c${n}`) => ({
  ...(id !== undefined && { id }),
  type: 'function',
  function: { name: ACT, arguments: JSON.stringify({ n }) },
  ...more,
})

const piece = (delta: object, finish: string | null = null) => ({ choices: [{ index: 0, delta, finish_reason: finish }] })
/** A stream of pieces, with its end. */
const pieces = (deltas: readonly object[], finish: string | null = 'stop', last = DONE): Say =>
  events([...deltas.map((delta) => piece(delta)), piece({}, finish)], last)
const calls = (...list: readonly object[]) =>
  pieces(
    list.map((one) => ({ tool_calls: [one] })),
    'tool_calls',
  )
const whole = (message: object, finish: unknown = 'stop', more: object = {}): Say =>
  json({
    choices: [{ index: 0, message: { role: 'assistant', ...message }, ...(finish !== undefined && { finish_reason: finish }) }],
    ...more,
  })
const say = (text: string) => pieces([{ content: text }])

const isMessage = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const messages = (asked: Asked) => (Array.isArray(asked['messages']) ? asked['messages'].filter(isMessage) : [])
const told = (asked: Asked) => messages(asked).filter(({ role }) => role === 'assistant')

const ONE = 'ok: done; {"n":1}'
const TWO = 'ok: done; {"n":1}; {"n":2}'
const c = (name: string, turns: Say[], expected: string, more: Partial<ModelCase> = {}): ModelCase => ({
  name,
  api: 'chat',
  turns,
  expected,
  ...more,
})
/** A turn with a call, then an answer. */
const then = (name: string, first: Say, expected = ONE, more: Partial<ModelCase> = {}) => c(name, [first, say('done')], expected, more)
const whole2 = { stream: false }
const answers = (name: string, first: Say, expected: string, more: Partial<ModelCase> = {}) => c(name, [first], expected, more)

const named = (n: number, more: object = {}) => ({ function: { name: ACT, arguments: JSON.stringify({ n }) }, ...more })
const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }

const placed: ModelCase[] = [
  then('two calls without a place', calls(call(1), call(2)), TWO),
  then('two calls with the same place', calls(call(1, { index: 0 }), call(2, { index: 0 })), TWO),
  then('two calls with the same place and no id', calls(named(1, { index: 0 }), named(2, { index: 0 })), TWO),
  then('two calls with neither place nor id', calls(named(1), named(2)), TWO),
  then('two calls with the same id', calls(call(1, {}, 'x'), call(2, {}, 'x')), TWO),
  then('a whole call in a piece each with one list', pieces([{ tool_calls: [call(1), call(2)] }], 'tool_calls'), TWO),
  then(
    'a call in pieces that each have id and name',
    calls(
      { index: 0, id: 'x', function: { name: ACT, arguments: '{"n"' } },
      { index: 0, id: 'x', function: { name: ACT, arguments: ':1}' } },
    ),
  ),
  then(
    'a name that comes after the id',
    calls({ index: 0, id: 'x' }, { index: 0, function: { name: ACT, arguments: '' } }, { index: 0, function: { arguments: '{"n":1}' } }),
  ),
  then('arguments that are an object', calls({ index: 0, id: 'x', function: { name: ACT, arguments: { n: 1 } } })),
  then(
    'arguments that are an object, whole',
    whole({ content: null, tool_calls: [{ id: 'x', function: { name: ACT, arguments: { n: 1 } } }] }, 'tool_calls'),
    ONE,
  ),
  then('a call without an id, whole', whole({ content: '', tool_calls: [call(1, {}, '')] }, 'tool_calls'), ONE, {
    refuses: (asked) => {
      const ids = told(asked).flatMap((one) =>
        Array.isArray(one['tool_calls']) ? one['tool_calls'].filter(isMessage).map(({ id }) => id) : [],
      )
      const answered = messages(asked).flatMap(({ role, tool_call_id: id }) => (role === 'tool' ? [id] : []))
      return ids.every((id) => typeof id === 'string' && id !== '' && answered.includes(id)) ? undefined : 'a result without its call'
    },
  }),
  then('a call of the older form', whole({ content: null, function_call: { name: ACT, arguments: '{"n":1}' } }, 'function_call')),
  then('calls that end with stop', pieces([{ tool_calls: [call(1, { index: 0 })] }], 'stop')),
  c('an id that was used before', [calls(call(1, {}, 'call_0')), calls(call(2, {}, 'call_0')), say('done')], TWO, {
    refuses: (asked) => (told(asked).some((one) => !JSON.stringify(one).includes('"call_0"')) ? 'whose call is this?' : undefined),
  }),
]

const kept: ModelCase[] = [
  then('a signature in a call', calls(call(1, { index: 0, extra_content: { google: { thought_signature: 'c2ln' } } })), ONE, {
    refuses: (asked) => (told(asked).some((one) => !JSON.stringify(one).includes('"extra_content":{"google":{"thought_signature":"c2ln"}}')) ? 'unsigned' : undefined), // prettier-ignore
  }),
  then(
    'thoughts in pieces',
    pieces(
      [
        { role: 'assistant', reasoning_content: 'First ' },
        { reasoning_content: 'act.', reasoning_details: [{ index: 0, type: 'reasoning.text', text: 'First ' }] },
        { reasoning_details: [{ index: 0, type: 'reasoning.text', text: 'act.', signature: 'c2ln' }] },
        { tool_calls: [call(1, { index: 0 })] },
      ],
      'tool_calls',
    ),
    ONE,
    {
      refuses: (asked) => {
        const wanted = {
          reasoning_content: 'First act.',
          reasoning_details: [{ index: 0, type: 'reasoning.text', text: 'First act.', signature: 'c2ln' }],
        }
        const missing = (one: Record<string, unknown>) =>
          Object.entries(wanted).some(([key, value]) => JSON.stringify(one[key]) !== JSON.stringify(value))
        return told(asked).some(missing) ? 'Missing `reasoning_content` field in the assistant message' : undefined
      },
    },
  ),
  then('thoughts that it does not take back', pieces([{ reasoning: 'Act.' }, { tool_calls: [call(1, { index: 0 })] }], 'tool_calls'), ONE, {
    refuses: (asked) => (told(asked).some((one) => 'reasoning' in one) ? "messages.1: property 'reasoning' is unsupported" : undefined),
  }),
  then(
    'parts with thoughts',
    whole({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }], tool_calls: [call(1)] }, 'tool_calls'),
    ONE,
    {
      refuses: (asked) => (told(asked).some(({ content }) => !Array.isArray(content)) ? 'Where are my thoughts?' : undefined),
    },
  ),
  then(
    'an empty text beside a call, which it refuses',
    pieces([{ content: '' }, { tool_calls: [call(1, { index: 0 })] }], 'tool_calls'),
    ONE,
    {
      refuses: (asked) =>
        messages(asked).some(({ content }) => content === '') ? 'messages: text content blocks must be non-empty' : undefined,
    },
  ),
  then('null beside a call, which it refuses', whole({ content: null, tool_calls: [call(1)] }, 'tool_calls'), ONE, {
    refuses: (asked) => (messages(asked).some(({ content }) => content === null) ? 'invalid message content type: <nil>' : undefined),
  }),
  then('a call without a text, which it refuses', whole({ content: null, tool_calls: [call(1)] }, 'tool_calls'), ONE, {
    refuses: (asked) => (told(asked).some((one) => !('content' in one)) ? 'messages[1]: missing field `content`' : undefined),
  }),
]

const endings: ModelCase[] = [
  ...['error', 'abort', 'network_error', 'a word of its own'].map((word) =>
    answers(`a text that ends with “${word}”`, pieces([{ content: 'The total is 4' }], word), 'MODEL_UNAVAILABLE'),
  ),
  ...['error', null, ''].map((word) =>
    answers(`a whole text that ends with ${JSON.stringify(word)}`, whole({ content: 'The total is 4' }, word), 'MODEL_UNAVAILABLE', whole2),
  ),
  answers('a stream that ends without saying how', events([piece({ content: 'The total is 4' })], DONE), 'MODEL_UNAVAILABLE'),
  answers('a stream whose ending is empty', events([piece({ content: 'The total is 4' }), piece({}, '')], DONE), 'MODEL_UNAVAILABLE'),
  answers('a text that says it calls a tool, and calls none', pieces([{ content: 'I look.' }], 'tool_calls'), 'MODEL_UNAVAILABLE'),
  answers('more calls than anybody makes', calls(...Array.from({ length: 3000 }, (_, n) => call(n))), 'MODEL_UNAVAILABLE'),
  answers('a text that was cut', pieces([{ content: 'The total' }], 'length'), 'ANSWER_CUT'),
  answers('a text that was filtered', pieces([{ content: 'The total' }], 'content_filter'), 'MODEL_REFUSED'),
  ...['stop', 'STOP', 'end_turn', 'eos'].map((word) =>
    answers(`a text that ends with “${word}”`, pieces([{ content: 'done' }], word), 'ok: done'),
  ),
  answers('no [DONE]', pieces([{ content: 'done' }], 'stop', ''), 'ok: done'),
  answers('an error in the choice', events([piece({ content: 'The' }), { choices: [{ delta: {}, finish_reason: 'error', error: { code: 402, message: 'spent' } }] }]), 'MODEL_QUOTA'), // prettier-ignore
  answers(
    'an error in the stream',
    events([piece({ content: 'The' }), { error: { code: 'context_length_exceeded', message: 'no' } }]),
    'CONTEXT_FULL',
  ),
  answers('an error in place of the stream', json({ error: { message: 'No credits are left', code: 402 } }), 'MODEL_QUOTA'),
  answers('an error in place of a whole answer', json({ error: 'the model is overloaded' }), 'MODEL_UNAVAILABLE', whole2),
  answers('an error without its frame', json({ object: 'error', message: 'The prompt is too long', code: 400 }), 'CONTEXT_FULL', whole2),
]

const forms: ModelCase[] = [
  answers('a whole answer where a stream was asked for', whole({ content: 'done' }), 'ok: done'),
  answers('a whole answer that is said to be text', json({ choices: [{ message: { content: 'done' }, finish_reason: 'stop' }] }, 'text/plain'), 'ok: done'), // prettier-ignore
  answers(
    'a stream of one chunk with a whole message',
    events([{ choices: [{ index: 0, message: { content: 'done' }, finish_reason: 'stop' }] }], DONE),
    'ok: done',
  ),
  answers(
    'a stream whose last chunk says all of it again',
    events(
      [piece({ content: 'do' }), piece({ content: 'ne' }), { choices: [{ message: { content: 'done' }, finish_reason: 'stop' }] }],
      DONE,
    ),
    'ok: done',
  ),
  answers('a stream where none was asked for', say('done'), 'ok: done', whole2),
  answers('a stream that is said to be JSON', json(`: hi\n\ndata: ${JSON.stringify(piece({ content: 'done' }, 'stop'))}\n\n`), 'ok: done'),
  answers('a web page', json('<html><body>Sign in</body></html>', 'text/html'), 'MODEL_UNAVAILABLE'),
  answers('a web page that is said to be a stream', json('<!DOCTYPE html><p>Sign in', 'text/plain'), 'MODEL_UNAVAILABLE', whole2),
  answers('nothing', json(''), 'MODEL_UNAVAILABLE'),
  answers('an event that is no JSON', json('data: {"choices":[\n\n', 'text/event-stream'), 'MODEL_UNAVAILABLE'),
  answers(
    'an event that is nested too deep',
    json(`data: ${'['.repeat(5000)}${']'.repeat(5000)}\n\n`, 'text/event-stream'),
    'MODEL_UNAVAILABLE',
  ),
  answers(
    'empty events, and a space behind [DONE]',
    json(
      `data: \n\ndata\n\nevent: ping\ndata: {}\n\ndata: ${JSON.stringify(piece({ content: 'done' }, 'stop'))}\n\ndata: [DONE] \n\n`,
      'text/event-stream',
    ),
    'ok: done',
  ),
  answers('parts of a text', pieces([{ content: [{ type: 'text', text: 'do' }] }, { content: 'ne' }]), 'ok: done'),
  answers('null for calls', pieces([{ content: 'done', tool_calls: null }]), 'ok: done'),
  answers('JSON after thoughts', say('<think>{"a":1}</think>\n{"a":"x"}'), 'ok: <think>{"a":1}</think>\n{"a":"x"}', { schema }),
  answers('JSON in a fence', say('Here it is:\n```json\n{"a":"x"}\n```'), 'ok: Here it is:\n```json\n{"a":"x"}\n```', { schema }),
  c('nothing at all, which it does not take back', [pieces([]), say('done')], 'ok: done', {
    refuses: (asked) =>
      messages(asked).some(({ content }) => content === '') ? 'messages.1: text content blocks must be non-empty' : undefined,
  }),
  c(
    'a choice that it refuses in its stream',
    [events([{ error: { code: 400, message: 'strict is not supported' } }]), calls(call(1)), say('done')],
    ONE,
  ),
  c('a format that it does not take beside tools', [calls(call(1)), say('{"a":"x"}')], 'ok: {"a":"x"}; {"n":1}', {
    schema,
    refuses: (asked) =>
      'response_format' in asked && 'tools' in asked ? 'json mode cannot be combined with tool/function calling' : undefined,
  }),
]

export const chatCases: readonly ModelCase[] = [...placed, ...kept, ...endings, ...forms]
