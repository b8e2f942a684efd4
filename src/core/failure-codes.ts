// What can go wrong, by the cure: the only source of retry verdicts, HTTP statuses and exit codes. docs/failures.md prints it.

/** Whether time, a person at a consent screen, or nothing we can wait for heals a failure. */
export type Retry = 'later' | 'never' | 'after-connection'

export interface FailureKind {
  readonly retry: Retry
  /** HTTP status our API answers with when a request fails for this reason. */
  readonly http: number
  /** Exit code of the CLI when a command, or the run it waited for, ends for this reason. */
  readonly exit: number
  readonly text: string
  /** What a person does about it. It promises no retry: whether one follows is the state of the run, which says when. */
  readonly cure: string
}

/** Exit codes of the CLI: 0 a command or run that succeeded, the others by what the caller can do next. */
export const EXIT = { ok: 0, failed: 1, usage: 2, evidence: 3, incomplete: 4, waiting: 5, cancelled: 6, unavailable: 7 } as const

const later = (http: number, text: string, cure: string): FailureKind => ({ retry: 'later', http, exit: EXIT.failed, text, cure })
const never = (http: number, text: string, cure: string): FailureKind => ({ retry: 'never', http, exit: EXIT.failed, text, cure })
const usage = (http: number, text: string, cure: string): FailureKind => ({ retry: 'never', http, exit: EXIT.usage, text, cure })
const budget = (text: string, cure: string): FailureKind => ({ retry: 'never', http: 422, exit: EXIT.incomplete, text, cure })
const full = (text: string, cure: string): FailureKind => ({ retry: 'later', http: 429, exit: EXIT.unavailable, text, cure })
const unavailable = (text: string, cure: string): FailureKind => ({ retry: 'later', http: 503, exit: EXIT.unavailable, text, cure })

/** One code for each cure. */
export const FAILURES = {
  TOKEN_REJECTED: later(
    502,
    'Pomerium does not accept the account’s token.',
    'Put a valid token where the account has it: its tokenFile, which is re-read at once, or its token in the configuration.',
  ),
  TOKEN_EXPIRES_TOO_SOON: never(
    422,
    'The account’s token expires before the run’s deadline.',
    'Rotate the account, or shorten limits.deadline.',
  ),
  MINTER_REFUSED: never(
    502,
    'The minter gave no account for the run.',
    'Start nightshift minter, or change its policy: users, maxLifetime, perMinute.',
  ),
  GATEWAY_UNREACHABLE: later(502, 'No answer from Pomerium.', 'Check gateway.url, gateway.address, gateway.caFile and the network.'),
  ROUTE_UNKNOWN: never(
    422,
    'Pomerium has no MCP route of that name.',
    'Compare the job’s tools with the route list; add the route to pomerium.yaml.',
  ),
  ROUTE_DENIED: never(403, 'Policy does not let the account use this route.', 'Allow the account’s user on the route in pomerium.yaml.'),
  TOOL_DENIED: never(
    403,
    'Policy does not let the account call this tool.',
    'Allow the tool in the route’s policy, or take it out of the job.',
  ),
  TOOL_NOT_ALLOWED: never(
    422,
    'The job does not allow this tool: the call was never sent, and does not stand against green.',
    'Add it to tools.<server>.allow in the job file if the job should use it.',
  ),
  TOOL_MISSING: never(
    422,
    'A server does not offer a tool that the job needs.',
    'Correct tools.<server>.allow in the job file, or the server.',
  ),
  TOOL_CHANGED: never(422, 'A tool’s definition is not the pinned one.', 'Read the difference, then run nightshift jobs pin JOB.'),
  CONNECTION_REQUIRED: {
    retry: 'after-connection',
    http: 409,
    exit: EXIT.waiting,
    text: 'The server needs a person’s consent for this account.',
    cure: 'Connect the server for the account.',
  },
  UPSTREAM_UNAVAILABLE: later(
    502,
    'The MCP server behind the route did not take the request.',
    'Start the server, or see in its log why it does not answer.',
  ),
  UPSTREAM_ERROR: never(502, 'The MCP server answered with an error that is not a tool result.', 'Read the server’s own log.'),
  OUTCOME_UNKNOWN: never(
    502,
    'A tool call was sent and its outcome is not known.',
    'Look in the target system whether it happened, then retry the run; name tools that may run twice under repeatable.',
  ),
  REQUEST_TOO_LARGE: never(
    413,
    'A request to a server is larger than it may be: by servers.<name>.maxRequestBytes, or by what answered it.',
    'Raise servers.<name>.maxRequestBytes, with the route’s max_request_bytes in pomerium.yaml at least as large; where the server refused it, the server’s own limit.',
  ),
  RESULT_TOO_LARGE: never(
    502,
    'An answer was larger than the limit and was cut.',
    'Ask for less in the prompt, or raise gateway.maxResponseBytes or limits.keptBytes.',
  ),
  ANSWER_CUT: budget(
    'The model’s answer is longer than it may be, and was cut.',
    'Ask for a shorter answer; where limits.outputBytes cut it raise that, else name a model that may write more.',
  ),
  MODEL_AUTH: never(
    502,
    'The model provider does not accept the key.',
    'Correct the provider’s apiKey in the configuration, or the file that its apiKeyFile names.',
  ),
  MODEL_NOT_FOUND: never(422, 'The provider has no such model.', 'Correct model.name in the job file.'),
  MODEL_RATE_LIMITED: later(
    503,
    'The provider asks to wait.',
    'Let fewer runs go at a time (concurrency), or raise the rate with the provider.',
  ),
  MODEL_NO_ROOM: later(
    503,
    'The provider has no room for requests of the tier flex.',
    'Raise limits.deadline, so that the run may wait longer; or set model.onNoRoom: default in the job, or take model.tier out of it.',
  ),
  MODEL_QUOTA: never(402, 'The provider’s quota is used up.', 'Raise the quota with the provider, then retry the run.'),
  MODEL_REJECTED: never(
    502,
    'The provider says the request is wrong.',
    'Read its message; often the model does not support a setting of the job.',
  ),
  CONTEXT_FULL: never(
    422,
    'What the model is to read is longer than it can read.',
    'Ask for less in the prompt, lower limits.resultBytes, or name a model with a larger context window.',
  ),
  MODEL_REFUSED: never(422, 'The model or its filter refused to answer.', 'Change the prompt.'),
  MODEL_UNAVAILABLE: later(
    503,
    'The provider did not answer as it should.',
    'See whether the provider is well, and whether providers.<name>.baseUrl is right.',
  ),
  MODEL_IGNORED_TOOLS: never(
    502,
    'The provider ignored a server that the job needs.',
    'Use a provider that supports hosted MCP, or delegate: local.',
  ),
  APPROVAL_ASKED: never(
    502,
    'The provider asks a person to approve a call, and nobody is there to do it.',
    'Let the provider call without asking (require_approval: never is sent), or use delegate: local.',
  ),
  MODEL_INCOMPLETE: budget(
    'The model said that it could not do the job, or did not finish it.',
    'Read its words: mend what they name, or make the prompt clearer, then retry the run.',
  ),
  NO_TOOL_RESULT: budget(
    'The answer rests on no result of a server that the job needs.',
    'Say in the prompt what to read, or set tools.<server>.minCalls: 0 if the job can be done without.',
  ),
  CALL_UNREPORTED: budget(
    'Pomerium’s log has requests of a hosted run that its provider did not report.',
    'Look at them (`nightshift show RUN`) and in the target systems. Where they cannot be the provider’s, rotate the account; a provider that does not report its calls is none for delegate: hosted.',
  ),
  RESULT_PARTIAL: budget(
    'The last result of a tool said that there is more, and nothing was read after it.',
    'Say in the prompt how much is to be read, or set tools.<server>.allowPartial: true if a first page is enough.',
  ),
  OUTPUT_UNGROUNDED: budget(
    'A value of the answer stands in no result of a tool.',
    'Compare it with the calls of the run; take its path out of output.grounded if the model may work it out.',
  ),
  OUTPUT_INVALID: {
    retry: 'never',
    http: 422,
    exit: EXIT.incomplete,
    text: 'The answer does not match output.schema.',
    cure: 'Make the schema easier to meet or the prompt clearer; the text is kept.',
  },
  BUDGET_TURNS: budget('The run used all its turns.', 'Raise limits.turns, or ask for less.'),
  BUDGET_TOOL_CALLS: budget('The run used all its tool calls.', 'Raise limits.toolCalls, or ask for less.'),
  BUDGET_TOKENS: budget('The run used all its tokens.', 'Raise limits.tokens, or ask for less.'),
  BUDGET_COST: budget('The run used all its money.', 'Raise limits.costUsd, or ask for less.'),
  DEADLINE: budget('The run did not end before its deadline.', 'Raise limits.deadline, or ask for less.'),
  CANCELLED: { retry: 'never', http: 409, exit: EXIT.cancelled, text: 'The run was cancelled.', cure: 'Retry the run if it should go on.' },
  LOOP_DETECTED: budget('The model repeated itself without progress.', 'Change the prompt or the model.'),
  JOB_INVALID: usage(422, 'A job file is not valid.', 'Correct the file at the line named.'),
  INPUT_INVALID: usage(422, 'The input does not match the job’s input schema.', 'Correct the input.'),
  WORKER_LOST: later(
    503,
    'The worker died, or lost its hold on the run.',
    'Look for what ends the worker, such as too little memory for the results of this job.',
  ),
  WORKER_STALLED: later(
    503,
    'The event loop of the worker was blocked for longer than its lease: its watchdog ended it, or another worker took the run over.',
    'The last line of the worker in its log names the runs that it did. Lower what this run’s servers may send, or tell the maintainers what was read.',
  ),
  WORKER_UNFIT: later(
    503,
    'The worker does not have what the job needs: its configuration or its version is another one.',
    'Give each worker this configuration and this version.',
  ),
  CONFIG_INVALID: usage(500, 'The configuration is not valid.', 'Correct the file or variable named.'),
  STORE_UNAVAILABLE: unavailable('Postgres does not answer, or cannot be written.', 'Check databaseUrl and the server.'),
  STORE_UNSUITABLE: {
    retry: 'never',
    http: 503,
    exit: EXIT.unavailable,
    text: 'The store cannot be used as it is: a pooler without sessions stands before it, its encoding is not UTF-8, or its user may not do what is needed.',
    cure: 'Point databaseUrl at Postgres itself or at a pooler in session mode that passes startup options, and at a database whose encoding is UTF8; its user owns its tables, and may create in it.',
  },
  STORE_TOO_NEW: {
    retry: 'never',
    http: 503,
    exit: EXIT.unavailable,
    text: 'The database was migrated by a newer Nightshift, with which this one does not work.',
    cure: 'Upgrade this worker.',
  },
  QUEUE_UNAVAILABLE: unavailable('The queue does not answer.', 'Check redisUrl and the server; queued runs are kept.'),
  INTERNAL_ERROR: never(
    500,
    'What nobody foresaw, in Nightshift or in what it stands on.',
    'Look at the log lines of that moment, and at what their words name, such as Postgres or a disk; report them when nothing there is to be mended.',
  ),
  EXPIRED: never(410, 'No worker took the run before its expireAt.', 'Start more workers, or ask for the run again with a later expireAt.'),
  UNAUTHENTICATED: usage(
    401,
    'The caller is not known.',
    'Come through Pomerium, or send an API token of the configuration as Authorization: Bearer.',
  ),
  FORBIDDEN: usage(403, 'The caller may not do this.', 'Give the user, group or token the role under api: in the configuration.'),
  ASSERTION_INVALID: usage(
    401,
    'Pomerium’s identity assertion is not one for this API.',
    'Compare api.pomerium with the route in pomerium.yaml: audience is its host, jwksUrl has its keys; compare the clocks too.',
  ),
  ORIGIN_REFUSED: usage(
    403,
    'A page of another site asked for a change.',
    'Ask from a program, or from a page at Nightshift’s own address.',
  ),
  REQUEST_INVALID: usage(400, 'The request is not as /openapi.json says.', 'Correct the field named.'),
  BODY_INVALID: usage(
    400,
    'The body of the request is not JSON that can be read.',
    'Send one JSON document in UTF-8, at most 32 levels deep.',
  ),
  BODY_TOO_LARGE: usage(413, 'The body of the request is larger than the API reads.', 'Send less.'),
  MEDIA_UNSUPPORTED: usage(
    415,
    'The body of the request is of a kind that the API does not read.',
    'Send it with content-type: application/json and without a content-encoding.',
  ),
  METHOD_NOT_ALLOWED: usage(405, 'The address does not take this method.', 'Use a method that the header Allow names.'),
  COMMAND_INVALID: usage(400, 'The command line asks for what cannot be done.', 'See the command’s --help.'),
  FILTER_INVALID: usage(
    400,
    'The filter does not say which runs are meant.',
    'Name runs by their ids, or at least a job, a status, a code, a tag, who asked or a time.',
  ),
  BACKFILL_INVALID: usage(
    400,
    'The fires of that time cannot be made up for.',
    'Name a job with a schedule, and a time that is over and not too long.',
  ),
  KEY_INVALID: usage(400, 'A public key of evidence cannot be used.', 'Name the .pub file of the deployment, or a copy of it, with --key.'),
  EVIDENCE_GAP: {
    retry: 'never',
    http: 409,
    exit: EXIT.evidence,
    text: 'The store does not have the checkpoint that was signed last, or has others that this key does not follow.',
    cure: 'Find out whether the store was put back from a backup or edited; nightshift evidence verify --store shows what does not fit. To go on all the same: nightshift evidence checkpoint --accept-gap REASON, which every later verification shows.',
  },
  CONNECT_REFUSED: usage(
    422,
    'Pomerium does not let the server be connected.',
    'Correct the route in pomerium.yaml, or name another return address with --redirect.',
  ),
  IDEMPOTENCY_MISMATCH: usage(422, 'The Idempotency-Key was used with another request.', 'Use a new key for another request.'),
  QUEUE_FULL: full(
    'Too many runs are queued.',
    'Wait as long as Retry-After says, start more workers, or raise what the message names: api.maxQueued, api.maxAhead or api.sharePercent.',
  ),
  STREAMS_FULL: full('Too many runs are followed in this process.', 'Wait as long as Retry-After says, or ask another replica.'),
  RUN_NOT_RETRYABLE: usage(
    409,
    'The run is not in a state to be retried.',
    'Wait until it is over; run a green one again with nightshift run.',
  ),
  RUN_UNKNOWN: usage(404, 'There is no such run.', 'List them with nightshift runs, or GET /v1/runs.'),
  JOB_UNKNOWN: usage(404, 'There is no such job.', 'List them with nightshift jobs, or GET /v1/jobs.'),
  OUTPUT_MISSING: usage(404, 'The run has no output.', 'Wait until it is over; a run that failed has none.'),
  ADDRESS_UNKNOWN: usage(404, 'There is nothing at this address.', 'GET /openapi.json says what there is.'),
} as const satisfies Record<string, FailureKind>

export type FailureCode = keyof typeof FAILURES
