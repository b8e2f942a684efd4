// What Azure says of errors, in its own shapes.
import { expect, test } from 'vitest'
import { openProvider } from '../../support/model/provider.ts'

const filtered = {
  message: 'The response was filtered due to the prompt triggering Azure OpenAI’s content management policy. Please modify your prompt and retry.',
  type: null,
  param: 'prompt',
  code: 'content_filter',
  status: 400,
  innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: { jailbreak: { filtered: true, detected: true } } },
} // prettier-ignore
const tooFast =
  'Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 12 seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit.'

const errors: [what: string, status: number, headers: Record<string, string>, error: object, failure: object][] = [
  ['the filter of the prompt', 400, {}, filtered, { code: 'MODEL_REFUSED' }],
  ['no such deployment', 404, {}, { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' }, { code: 'MODEL_NOT_FOUND' }],
  ['a key that is none', 401, {}, { code: '401', message: 'Access denied due to invalid subscription key or wrong API endpoint.' }, { code: 'MODEL_AUTH' }],
  ['a principal without a role', 401, {}, { code: 'PermissionDenied', message: 'The principal lacks the required data action.' }, { code: 'MODEL_AUTH' }],
  ['too fast, by milliseconds', 429, { 'retry-after-ms': '45000', 'retry-after': '45' }, { code: '429', message: tooFast }, { code: 'MODEL_RATE_LIMITED', retryAfterMs: 45_000 }],
  ['too fast, in words alone', 429, { 'x-should-retry': 'false' }, { code: '429', message: tooFast }, { code: 'MODEL_RATE_LIMITED', retryAfterMs: 12_000 }],
  ['no capacity', 503, { 'x-should-retry': 'false' }, { code: 'InternalServerError', message: 'Backend returned unexpected response.' }, { code: 'MODEL_UNAVAILABLE' }],
  ['an operation that the model has not', 400, {}, { code: 'OperationNotSupported', message: 'The chatCompletion operation does not work with the specified model.' }, { code: 'MODEL_REJECTED' }],
] // prettier-ignore

test.each(errors)('%s', async (_, status, headers, error, failure) => {
  let posts = 0
  await using opened = await openProvider({ way: 'chat', stream: true }, (res) => {
    posts++
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ error }))
  })
  expect(await opened.ask()).toMatchObject(failure)
  expect(posts).toBe(1)
})

test('an answer that its filter stopped is a refusal, and one whose filter was not at work is none', async () => {
  const choice = (finish_reason: string, results: object) => ({ choices: [{ message: { content: 'A part' }, finish_reason, content_filter_results: results }], prompt_filter_results: [] }) // prettier-ignore
  const answers = [
    choice('content_filter', { violence: { filtered: true, severity: 'high' } }),
    choice('stop', { error: { code: 'content_filter_error', message: 'The contents are not filtered' } }),
  ]
  await using opened = await openProvider({ way: 'chat', stream: false }, (res) =>
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answers.shift())),
  )
  expect(await opened.ask()).toMatchObject({ stopReason: 'filtered' })
  expect(await opened.ask()).toMatchObject({ stopReason: 'end', items: [{ type: 'message', text: 'A part' }] })
})
