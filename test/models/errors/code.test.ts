import { expect, test } from 'vitest'
import type { FailureCode } from '../../../src/core/failure-codes.ts'
import { codeOf, type ProviderError } from '../../../src/models/errors/code.ts'

type Row = [ProviderError, FailureCode]
const says = (message: string, status: number | undefined = 400): ProviderError => ({ message, status })

const full: Row[] = [
  [{ code: 'context_length_exceeded' }, 'CONTEXT_FULL'],
  [{ type: 'exceed_context_size_error', code: 400, message: 'the request exceeds the available size' }, 'CONTEXT_FULL'],
  [{ code: 'ContextWindowExceededError', status: 400 }, 'CONTEXT_FULL'],
  [{ type: 'request_too_large', status: 413 }, 'CONTEXT_FULL'],
  [
    {
      type: 'invalid_request_error',
      ...says(
        'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens` and try again',
      ),
    },
    'CONTEXT_FULL',
  ],
  [{ status: 413 }, 'CONTEXT_FULL'],
  ...[
    'The maximum context length of this model is 4096 tokens, and 5000 were asked for.',
    'This input exceeds the context window.',
    'prompt is too long: 250000 tokens > 200000',
    'Your prompt and max_tokens exceed context limit: 199000 + 8000 > 200000',
    'The input token count (2000000) exceeds the maximum number of tokens (1048576).',
    'Too many tokens: there may be 128000.',
    'request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it',
    'The decoder prompt (length 9000) is longer than the maximum model length of 4096.',
    'Input is too long for this model.',
    'It has 40000 tokens, too large for a model with 32768 maximum context length',
    'Reduce the length of the messages.',
    'The maximum prompt length is 131072 but there are 150000 tokens.',
    'This request exceeded model token limit: 8192',
    'Prompt exceeds max length',
    '`inputs` tokens must be <= 4095. Given: 5000',
    'It is loaded with a context length of only 4096 tokens',
    "Invalid 'messages[1].content': string too long. Expected a string with maximum length 1048576.",
    'This request exceeds the context window; see also your rate limits.',
    "Invalid 'input': string too long.",
    'Request entity too large',
    'Input is too long for requested model.',
  ].map((message): Row => [says(message), 'CONTEXT_FULL']),
  [says('Context size has been exceeded.', 500), 'CONTEXT_FULL'],
  [
    { ...says('Request too large on tokens per min (TPM): Limit 10000, Requested 12000.', 429), code: 'rate_limit_exceeded' },
    'CONTEXT_FULL',
  ],
]

/** Words for a limit of the context, about something else. */
const notFull: Row[] = [
  ...[
    'Too many tokens per minute, slow down.',
    'Too many tokens, please wait before trying again.',
    'Rate limit reached: too many input tokens for now.',
    'Rate limit reached on tokens per min. Limit: 10',
    'Too Many Requests',
  ].flatMap((message): Row[] => [
    [{ message }, 'MODEL_RATE_LIMITED'],
    [says(message), 'MODEL_RATE_LIMITED'],
    [says(message, 503), 'MODEL_RATE_LIMITED'],
  ]),
  [{ message: 'The request took too long to process.' }, 'MODEL_UNAVAILABLE'],
  [says('The prompt took too long.', 504), 'MODEL_UNAVAILABLE'],
  [says('Upstream idle: request too long in queue', 503), 'MODEL_UNAVAILABLE'],
  [says("Invalid 'input[3].call_id': string too long. Expected at most 64 characters."), 'MODEL_REJECTED'],
  [says("Invalid 'messages[2].tool_calls[0].function.name': string too long."), 'MODEL_REJECTED'],
  [says('Input should be an integer, too large integer given'), 'MODEL_REJECTED'],
  [says("1 validation error: Input should be a string [type=string_type, input_value=['too many tokens']]"), 'MODEL_REJECTED'],
  [says(`[{"msg":"Input should be a string","input":[{"text":"prompt is too long"}]}]`, 422), 'MODEL_REJECTED'],
]

const rows: Row[] = [
  ...full,
  ...notFull,
  [{ status: 429, code: 'insufficient_quota', type: 'insufficient_quota' }, 'MODEL_QUOTA'],
  [{ code: 'billing_hard_limit_reached', status: 400 }, 'MODEL_QUOTA'],
  [{ status: 402 }, 'MODEL_QUOTA'],
  [{ code: 402, message: 'Insufficient credits' }, 'MODEL_QUOTA'],
  [{ code: '402', status: 400 }, 'MODEL_QUOTA'],
  [says('You exceeded your current quota, look at your plan.', 429), 'MODEL_QUOTA'],
  [says('This team does not have any credits yet.', 403), 'MODEL_QUOTA'],
  [says('Insufficient Balance'), 'MODEL_QUOTA'],
  [{ status: 429 }, 'MODEL_RATE_LIMITED'],
  [{ code: 'rate_limit_exceeded' }, 'MODEL_RATE_LIMITED'],
  [{ code: 429, type: 'RESOURCE_EXHAUSTED', message: 'You exceeded your current quota. Please retry in 34s.' }, 'MODEL_RATE_LIMITED'],
  [says('Too many tokens, please wait before trying again.', 429), 'MODEL_RATE_LIMITED'],
  [{ type: 'ThrottlingException', status: 400 }, 'MODEL_RATE_LIMITED'],
  [{ status: 401 }, 'MODEL_AUTH'],
  [{ code: 'invalid_api_key' }, 'MODEL_AUTH'],
  [{ status: 403, message: 'not for you' }, 'MODEL_AUTH'],
  [{ type: 'PERMISSION_DENIED' }, 'MODEL_AUTH'],
  [{ status: 404 }, 'MODEL_NOT_FOUND'],
  [{ code: 'model_not_found', status: 400 }, 'MODEL_NOT_FOUND'],
  [{ code: 'DeploymentNotFound' }, 'MODEL_NOT_FOUND'],
  [{ ...says('The model `m` does not exist.'), type: 'invalid_request_error' }, 'MODEL_NOT_FOUND'],
  [{ code: 'content_filter', status: 400 }, 'MODEL_REFUSED'],
  [{ code: 'ResponsibleAIPolicyViolation' }, 'MODEL_REFUSED'],
  [{ code: 'invalid_prompt' }, 'MODEL_REFUSED'],
  [says('This model needs moderation, and the input was flagged.', 403), 'MODEL_REFUSED'],
  [says('The response was filtered by the content management policy.'), 'MODEL_REFUSED'],
  [{ status: 400 }, 'MODEL_REJECTED'],
  [{ status: 422, message: 'messages.1: field required' }, 'MODEL_REJECTED'],
  [{ type: 'invalid_request_error' }, 'MODEL_REJECTED'],
  [{ code: 'invalid_image_format' }, 'MODEL_REJECTED'],
  [{ code: 400 }, 'MODEL_REJECTED'],
  [{ status: 200, code: 'invalid_request_error' }, 'MODEL_REJECTED'],
  [{}, 'MODEL_UNAVAILABLE'],
  [{ status: 200 }, 'MODEL_UNAVAILABLE'],
  [{ status: 408 }, 'MODEL_UNAVAILABLE'],
  [{ status: 498, code: 'capacity_exceeded' }, 'MODEL_UNAVAILABLE'],
  [{ status: 503 }, 'MODEL_UNAVAILABLE'],
  [{ status: 529, type: 'overloaded_error' }, 'MODEL_UNAVAILABLE'],
  [{ code: 'server_error', message: 'Try again.' }, 'MODEL_UNAVAILABLE'],
  [{ code: 502, message: 'Provider returned error' }, 'MODEL_UNAVAILABLE'],
  [{ code: ['odd'], type: 7, message: {} }, 'MODEL_UNAVAILABLE'],
  [says('The model is loading, please wait.', 503), 'MODEL_UNAVAILABLE'],
  [{ status: 500, message: 'no load balancer' }, 'MODEL_UNAVAILABLE'],
]

test.each(rows)('%o is %s', (error, code) => expect(codeOf(error)).toBe(code))

test.each([
  [{ status: 429, code: 'resource_unavailable' }, 'MODEL_NO_ROOM'],
  [{ status: 429, message: '429 Resource Unavailable' }, 'MODEL_NO_ROOM'],
  [{ status: 503, message: 'We have no capacity for this now.' }, 'MODEL_NO_ROOM'],
  [{ status: 529, type: 'overloaded_error' }, 'MODEL_NO_ROOM'],
  [{ status: 498, code: 'capacity_exceeded', message: 'Flex tier capacity exceeded for this model' }, 'MODEL_NO_ROOM'],
  // A rate that was passed, and a server that is down, are that in each tier.
  [{ status: 429, code: 'rate_limit_exceeded', message: 'Rate limit reached' }, 'MODEL_RATE_LIMITED'],
  [{ status: 429, code: 'insufficient_quota' }, 'MODEL_QUOTA'],
  [{ status: 500, message: 'No capacity' }, 'MODEL_UNAVAILABLE'],
] as const)('in the tier flex, %o is %s; in another tier there is room for all who may come', (error, code) => {
  expect(codeOf(error, 'flex')).toBe(code)
  expect(codeOf(error)).not.toBe('MODEL_NO_ROOM')
  expect(codeOf(error, 'default')).not.toBe('MODEL_NO_ROOM')
})
