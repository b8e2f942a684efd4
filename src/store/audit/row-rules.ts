// Which columns a checkpoint is about, by table, and which may change by right. A column that stands in neither list fails a test.

/** Columns of a table of a run. */
export interface TableRule {
  /** Which rows belong to the run, up to an attempt. */
  attempt?: string
  order: string
  /** Beside its columns: what says to which state of the run a row belongs (SQL). */
  about?: Readonly<Record<string, string>>
  /** Never change while the run is there. */
  kept: readonly string[]
  /** Are emptied by retention of content, and change by nothing else. */
  content?: readonly string[]
  /** Are settled later than the run may be: not looked at where the signed row was open. */
  open?: { when: string; columns: readonly string[] }
  /** Say how the run stands, until it is retried. */
  state?: readonly string[]
  /** Change by right, each for its reason. */
  changes?: Readonly<Record<string, string>>
}

/** The tables of a run. */
export const RUN_TABLES: Readonly<Record<string, TableRule>> = {
  runs: {
    order: 'id',
    kept: ['id', 'job', 'trigger', 'requested_by', 'priority', 'created_at'],
    content: ['input'],
    state: [
      'job_version', 'account', 'status', 'conversation', 'attempts', 'next_attempt_at', 'cancel_requested_at', 'delivery', 'heartbeat_at', 'reasons', 'failure', 'input_tokens',
      'cached_tokens', 'output_tokens', 'reasoning_tokens', 'cost_usd', 'started_at', 'finished_at', 'expire_at', 'held_by', 'held_at', 'holds', 'output_digest', 'codes', 'tools', 'waits_for',
    ],
    changes: {
      retry_of: 'emptied when the run that it names is removed; the list of the checkpoint has it',
      after_run: 'emptied when the run that it names is removed, and asked for by nothing after the end',
      output: 'kept with the last attempt, to which a retry moves it',
      output_text: 'the same',
      ending: 'the same',
      mended: 'the same',
      words: 'made of output and failure, for the search',
      ended_as: 'written when lines were found that the run’s provider did not report; those are signed, and the end is looked at as it was before',
      unreported: 'counts those lines',
      untold: 'says that they are to be counted',
      checkpointed_attempts: 'says that a checkpoint was taken, until a retry; whoever empties it makes the run be signed once more, and what was signed before still has to fit',
      pruned_at: 'written when content is removed, which is then looked for',
    },
  },
  attempts: {
    attempt: 'number',
    order: 'number',
    kept: [
      'run_id', 'number', 'token', 'worker', 'conversation', 'job_version', 'status', 'started_at', 'finished_at', 'reasons', 'contract',
    ],
    // A worker that was frozen may say later that it was its event loop, and not its death.
    open: { when: "coalesce(failure ->> 'code' = 'WORKER_LOST', false)", columns: ['failure'] },
    content: ['output', 'output_text', 'ending', 'mended', 'prompt', 'instructions'],
  },
  turns: {
    attempt: 'attempt',
    order: 'number',
    kept: [
      'run_id', 'number', 'attempt', 'stop_reason', 'response_id', 'provider_request_id', 'model', 'input_tokens', 'cached_tokens', 'output_tokens', 'reasoning_tokens',
      'cost_usd', 'started_at', 'finished_at', 'forced_by',
    ],
    content: ['items', 'told'],
  },
  tool_calls: {
    attempt: 'attempt',
    order: 'id',
    kept: [
      'id', 'run_id', 'attempt', 'turn', 'position', 'call_id', 'server', 'tool', 'repeatable', 'status', 'failure', 'started_at', 'finished_at', 'duration_ms',
    ],
    content: ['arguments', 'result'],
  },
  responses: {
    attempt: 'attempt',
    order: 'turn',
    kept: ['run_id', 'turn', 'attempt', 'background'],
    open: { when: "state <> 'over'", columns: ['response_id', 'state'] },
  },
  gateway_requests: {
    attempt: 'attempt',
    order: 'request_id_sent',
    kept: [
      'request_id_sent', 'run_id', 'attempt', 'tool_call_id', 'account', 'account_id', 'method', 'host', 'path', 'rpc_method', 'request_bytes', 'sent_at', 'server',
    ],
    // Its end is written whatever became of the attempt, also after the run's own.
    open: { when: 'status is null and error is null', columns: ['request_id', 'status', 'response_bytes', 'error', 'duration_ms'] },
    changes: { written_at: 'measures the clock of the gateway; when the request was sent is signed' },
  },
  deliveries: {
    attempt: 'attempt',
    order: 'id',
    kept: ['id', 'run_id', 'attempt', 'target', 'created_at'],
    open: { when: "status = 'pending'", columns: ['status', 'tries', 'next_try_at', 'error', 'ended_at'] },
  },
  run_accounts: {
    attempt: 'attempt',
    order: 'account_id',
    kept: ['account_id', 'account', 'run_id', 'attempt', 'expires_at', 'created_at'],
  },
} // prettier-ignore

/** Columns that never change and that the rule runs/4 has beside those of runs/3, by table. */
export const KEPT_4: Readonly<Record<string, readonly string[]>> = {
  runs: ['tags'],
  turns: ['provider', 'tier', 'cache_write_tokens', 'purpose', 'context', 'waits'],
}

/** Tables that the rule runs/3 has beside those of runs/2. */
export const RUN_TABLES_3: Readonly<Record<string, TableRule>> = {
  run_ends: {
    order: 'conversation',
    kept: ['run_id', 'conversation', 'status', 'failure', 'reasons', 'finished_at'],
  },
  run_acts: {
    order: 'act_id',
    kept: ['run_id', 'act_id', 'conversation', 'attempt'],
    about: { act: '(select act from acts where id = t.act_id)' },
  },
}

/** What a run had come to, which is in `run_ends` once it goes on. */
export const END_COLUMNS = ['status', 'failure', 'reasons', 'finished_at'] as const

/** Versions of the job that attempts of the run were of. */
export const VERSION_COLUMNS = ['job', 'version', 'definition', 'created_at'] as const

/** A line of Pomerium's log. */
export const LINE_COLUMNS = [
  'id', 'line_digest', 'occurrence', 'request_id', 'time', 'method', 'host', 'path', 'ip', 'user_id', 'account_id', 'mcp_method', 'mcp_tool', 'params_digest', 'run_header',
  'allowed', 'reasons',
] as const // prettier-ignore

export const LINE_CHANGES: Readonly<Record<string, string>> = {
  params: 'emptied by retention of content; their digest stays',
  matched_by:
    'written when the line is joined, which may be later; the line and the request are both signed, so the join can be made again',
  run_id: 'the same',
  gateway_request: 'the same',
  tool_call_id: 'the same',
  alerted_at: 'written when an alarm is raised',
}
