import type { RowOptions } from '../row.ts'
import { ACT, MIDDLE, playToRetry, rowsOf, type FaultRow } from '../row.ts'
import { HTML_TYPE, JSON_TYPE, on, once, status } from '../moments.ts'

const row = rowsOf('model')
const heals = { heals: true }
const unstreamed: RowOptions = { ...heals, bench: { config: { provider: { stream: false } } } }
const nothing = () => {}
const hosted: RowOptions = { delegate: 'hosted' }
const background: RowOptions = { delegate: 'hosted', bench: { background: true } }
const schema = 'output: { schema: { type: object, required: [ok], properties: { ok: { type: boolean } } } }'

const always = (fault: string) => ({ script: `always ${fault}\n${MIDDLE}` })
/** The client tries three times by itself. */
const thrice = (fault: string) => `${fault}\n${fault}\n${fault}`
const body = (text: string) => status(200, JSON_TYPE, text)

export const modelRows: FaultRow[] = [
  row('HTTP 401', ['failed', 'MODEL_AUTH', 1, 0], nothing, always('fail 401 invalid_api_key')),
  row('HTTP 403', ['failed', 'MODEL_AUTH', 1, 0], nothing, always('fail 403')),
  row('HTTP 404', ['failed', 'MODEL_NOT_FOUND', 1, 0], nothing, always('fail 404 model_not_found')),
  row('HTTP 400', ['failed', 'MODEL_REJECTED', 1, 0], nothing, always('fail 400 invalid_request')),
  row('HTTP 400, more than the model reads', ['failed', 'CONTEXT_FULL', 1, 0], nothing, always('fail 400 context_length_exceeded')),
  row('HTTP 429, the quota', ['failed', 'MODEL_QUOTA', 1, 0], nothing, always('fail 429 insufficient_quota')),
  row('HTTP 429, the rate, with a short retry-after', ['succeeded', null, 1, 1], nothing, {
    script: `fail 429 rate_limit retry-after=1\n${MIDDLE}`,
  }),
  row('HTTP 429, the rate, again and again', ['succeeded', 'MODEL_RATE_LIMITED', 2, 1], nothing, {
    ...heals,
    script: `${thrice('fail 429 rate_limit')}\n${MIDDLE}`,
  }),
  row('HTTP 429, the rate, with a long retry-after: the run waits for it', ['queued', 'MODEL_RATE_LIMITED', 1, 0], nothing, {
    ...always('fail 429 rate_limit retry-after=3600'),
    play: playToRetry,
  }),
  row('no room in the tier flex, until the attempt has no time left', ['failed', 'MODEL_NO_ROOM', 2, 0], nothing, {
    ...always('no-room flex'),
    settings: ', tier: flex',
    more: 'limits: { deadline: 5s }\n',
  }),
  row('no room in the tier flex, and the default one will do', ['succeeded', null, 1, 1], nothing, {
    ...always('no-room flex'),
    ...heals,
    settings: ', tier: flex, onNoRoom: default',
    more: 'limits: { deadline: 9s }\n',
  }),
  row('HTTP 500 once', ['succeeded', null, 1, 1], nothing, { script: `fail 500\n${MIDDLE}` }),
  row('HTTP 500 before anything was done', ['succeeded', 'MODEL_UNAVAILABLE', 2, 1], nothing, {
    ...heals,
    script: `${thrice('fail 500')}\n${MIDDLE}`,
  }),
  row('HTTP 500 after a call that must not be repeated', ['succeeded', 'MODEL_UNAVAILABLE', 2, 1], nothing, {
    ...heals,
    script: `${ACT}\n${thrice('fail 500')}\nsay $1`,
  }),
  row('HTTP 500 for ever', ['failed', 'MODEL_UNAVAILABLE', 2, 1], nothing, { script: `${ACT}\nalways fail 500\nsay $1` }),
  row(
    'down, and up again',
    ['succeeded', 'MODEL_UNAVAILABLE', 2, 1],
    async (bench) => {
      await bench.toModel.close()
      bench.onRetry = () => void bench.toModel.open()
    },
    { ...heals, retry: '{ attempts: 2, backoff: 300ms }' },
  ),
  row(
    'silence until the deadline',
    ['failed', 'DEADLINE', 1, 0],
    ({ toModel }) =>
      on(
        toModel,
        () => true,
        () => ({ kind: 'hold', until: new Promise(nothing) }),
      ),
    {
      more: 'limits: { deadline: 4s }',
    },
  ),
  row('a stream that is cut', ['succeeded', 'MODEL_UNAVAILABLE', 2, 1], nothing, { ...heals, script: `${ACT}\ncut\nsay $1` }),
  row('a stream without its last event', ['succeeded', 'MODEL_UNAVAILABLE', 2, 1], nothing, { ...heals, script: `${ACT}\nsilent\nsay $1` }),
  row('a stream without its last event, chat', ['succeeded', 'MODEL_UNAVAILABLE', 2, 1], nothing, {
    ...heals,
    script: `${ACT}\nsilent\nsay $1`,
    bench: { api: 'chat' },
  }),
  row('a body that is not JSON', ['succeeded', 'MODEL_UNAVAILABLE', 2, 1], nothing, { ...heals, script: `${ACT}\ngarbage\nsay $1` }),
  row('a body that is not JSON, without streams', ['succeeded', 'MODEL_UNAVAILABLE', 2, 1], nothing, {
    ...unstreamed,
    script: `${ACT}\ngarbage\nsay $1`,
  }),
  row(
    'half a JSON body, without streams',
    ['succeeded', 'MODEL_UNAVAILABLE', 2, 1],
    ({ toModel }) => on(toModel, ({ before }) => before === 1, once(body('{"id":"resp_1","outp'))),
    unstreamed,
  ),
  row(
    'JSON of another kind, without streams',
    ['succeeded', 'MODEL_UNAVAILABLE', 2, 1],
    ({ toModel }) => on(toModel, ({ before }) => before === 1, once(body('{"ok":true}'))),
    unstreamed,
  ),
  ...['cancelled', 'in_progress'].map((state) =>
    row(
      `an answer that is ${state}, with a text`,
      ['succeeded', 'MODEL_UNAVAILABLE', 2, 1],
      ({ toModel }) =>
        on(
          toModel,
          ({ before }) => before === 1,
          once(
            body(`{"status":"${state}","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"half"}]}]}`),
          ),
        ),
      unstreamed,
    ),
  ),
  row(
    'HTML with status 200, without streams',
    ['succeeded', 'MODEL_UNAVAILABLE', 2, 1],
    ({ toModel }) => on(toModel, ({ before }) => before === 1, once(status(200, HTML_TYPE, '<html>'))),
    unstreamed,
  ),
  row('refuses', ['failed', 'MODEL_REFUSED', 1, 1], nothing, { script: `${ACT}\nrefuse no` }),
  row('is stopped by the filter', ['failed', 'MODEL_REFUSED', 1, 1], nothing, { script: `${ACT}\nfilter` }),
  row('is cut at its output limit', ['incomplete', 'ANSWER_CUT', 1, 1], nothing, { script: `${ACT}\ntruncate half of` }),
  row('writes nonsense for arguments: told to it', ['succeeded', null, 1, 1], nothing, {
    script: `call counting__act {"n": \n${ACT}\nsay $2`,
  }),
  row('writes arguments that do not fit: told to it', ['succeeded', null, 1, 1], nothing, {
    script: `call counting__act {"n": "one"}\n${ACT}\nsay $2`,
  }),
  row('writes nonsense for ever', ['incomplete', 'LOOP_DETECTED', 1, 0], nothing, {
    script: Array.from({ length: 8 }, (_, n) => `call counting__act {"n": ${n},`).join('\n'),
  }),
  row('calls a tool that does not exist: told to it', ['succeeded', null, 1, 1], nothing, {
    script: `call counting__gone {}\n${ACT}\nsay $2`,
  }),
  row('makes the same call for ever', ['incomplete', 'LOOP_DETECTED', 1, 0], nothing, {
    script: Array.from({ length: 8 }, () => 'call counting__look {}').join('\n'),
  }),
  row('gives an empty answer once', ['succeeded', null, 1, 1], nothing, { script: `${ACT}\nsay \nsay done` }),
  row('gives an empty answer twice', ['failed', 'OUTPUT_INVALID', 1, 1], nothing, { script: `${ACT}\nsay \nsay ` }),
  row('gives an invalid output once', ['succeeded', null, 1, 1], nothing, { script: `${ACT}\nsay no\nsay {"ok": true}`, more: schema }),
  row('gives an invalid output twice', ['incomplete', 'OUTPUT_INVALID', 1, 1], nothing, {
    script: `${ACT}\nsay no\nsay {"ok": 1}`,
    more: schema,
  }),

  row('HTTP 401', ['failed', 'MODEL_AUTH', 1, 0], nothing, { ...hosted, ...always('fail 401 invalid_api_key') }),
  row('HTTP 429, the quota', ['failed', 'MODEL_QUOTA', 1, 0], nothing, { ...hosted, ...always('fail 429 insufficient_quota') }),
  row('HTTP 429, the rate', ['succeeded', 'MODEL_RATE_LIMITED', 2, 1], nothing, {
    ...hosted,
    ...heals,
    script: `fail 429 rate_limit\n${MIDDLE}`,
  }),
  row('HTTP 429, the rate, with a long retry-after: the run waits for it', ['queued', 'MODEL_RATE_LIMITED', 1, 0], nothing, {
    ...hosted,
    ...always('fail 429 rate_limit retry-after=3600'),
    play: playToRetry,
  }),
  row(
    'down, and up again',
    ['succeeded', 'MODEL_UNAVAILABLE', 2, 1],
    async (bench) => {
      await bench.toModel.close()
      bench.onRetry = () => void bench.toModel.open()
    },
    { ...hosted, ...heals, retry: '{ attempts: 2, backoff: 300ms }' },
  ),
  row('HTTP 500 instead of an answer', ['failed', 'OUTCOME_UNKNOWN', 1, 0], nothing, { ...hosted, script: `fail 500\n${MIDDLE}` }),
  row('HTTP 500 instead of an answer, all tools repeatable', ['succeeded', 'MODEL_UNAVAILABLE', 2, 1], nothing, {
    ...hosted,
    ...heals,
    script: `fail 500\n${MIDDLE}`,
    tools: 'counting: { allow: [act, look], repeatable: [act, look] }',
  }),
  row('fails after a call that must not be repeated', ['failed', 'MODEL_UNAVAILABLE', 1, 1], nothing, {
    ...hosted,
    script: `${ACT}\nfail 500\nsay $1`,
  }),
  row('fails after a call that may be repeated', ['succeeded', 'MODEL_UNAVAILABLE', 2, 1], nothing, {
    ...hosted,
    ...heals,
    script: `call counting__look {}\nfail 500\n${ACT}\nsay $2`,
  }),
  row('a stream that is cut', ['failed', 'OUTCOME_UNKNOWN', 1, 1], nothing, { ...hosted, script: `${ACT}\ncut\nsay $1` }),
  row('a stream without its last event', ['failed', 'OUTCOME_UNKNOWN', 1, 1], nothing, { ...hosted, script: `${ACT}\nsilent\nsay $1` }),
  row('a stream that is cut, in the background', ['succeeded', null, 1, 1], nothing, { ...background, script: `${ACT}\ncut\nsay $1` }),
  row('a stream without its last event, in the background', ['succeeded', null, 1, 1], nothing, {
    ...background,
    script: `${ACT}\nsilent\nsay $1`,
  }),
  row('a body that is not JSON', ['failed', 'OUTCOME_UNKNOWN', 1, 0], nothing, { ...hosted, script: `garbage\n${MIDDLE}` }),
  row('ignores a server', ['failed', 'MODEL_IGNORED_TOOLS', 1, 0], nothing, { ...hosted, script: 'ignore counting\nsay fine' }),
  row('asks for approval', ['failed', 'APPROVAL_ASKED', 1, 0], nothing, { ...hosted, script: 'approve counting__act\nsay fine' }),
  row('refuses', ['failed', 'MODEL_REFUSED', 1, 1], nothing, { ...hosted, script: `${ACT}\nrefuse no` }),
  row('is cut at its output limit', ['incomplete', 'ANSWER_CUT', 1, 1], nothing, { ...hosted, script: `${ACT}\ntruncate half of` }),
  row('gives an invalid output twice', ['incomplete', 'OUTPUT_INVALID', 1, 1], nothing, {
    ...hosted,
    script: `${ACT}\nsay no\nsay {"ok": 1}`,
    more: schema,
  }),
]
