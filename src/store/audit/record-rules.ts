// Which columns of the tables that are no run's a checkpoint is about. A column that stands in no list fails a test.

/** A table whose rows are listed in checkpoints one by one. */
export interface RecordRule {
  /** Name and version of the rule. */
  rule: `${string}/${number}`
  /** Columns by which a row is found again, with their types. */
  key: Readonly<Record<string, string>>
  /** When the row, or how it stands, came to be (SQL). */
  time: string
  /** The row and how it stands, as one text (SQL): what has another mark is listed anew. */
  mark: string
  /** Listed as they are: they change by right, in ways that `audit/evidence/rules/records.ts` decides. */
  said: readonly string[]
  /** Never change: listed by their digest. */
  kept: readonly string[]
  /** Change by right, each for its reason. */
  changes?: Readonly<Record<string, string>>
}

/** Tables beside the runs. */
export const RECORD_TABLES = {
  acts: {
    rule: 'acts/1',
    key: { id: 'uuid' },
    time: 'at',
    mark: 'id::text',
    said: ['id', 'jobs', 'runs'],
    kept: ['at', 'act', 'actor', 'role', 'via', 'origin', 'request_id', 'reason', 'detail'],
  },
  alarms: {
    rule: 'alarms/1',
    key: { id: 'uuid' },
    time: 'coalesce(sent_at, created_at)',
    mark: `concat_ws(' ', id, sent_at)`,
    said: ['id', 'created_at', 'sent_at'],
    kept: ['body'],
    changes: { tries: 'counted until it is sent', next_try_at: 'put off until it is sent', refused: 'what its receiver said' },
  },
  fires: {
    rule: 'fires/1',
    key: { job: 'text', fire_at: 'timestamptz' },
    time: 'created_at',
    mark: `concat_ws(' ', job, fire_at)`,
    said: ['job', 'fire_at', 'status', 'run_id', 'reason'],
    kept: ['created_at'],
  },
  pruned_runs: {
    rule: 'pruned_runs/1',
    key: { run_id: 'text' },
    time: 'pruned_at',
    mark: 'run_id',
    said: ['run_id', 'pruned_at'],
    kept: [],
  },
  suspects: {
    rule: 'suspects/1',
    key: { account_id: 'text' },
    time: 'coalesce(acknowledged_at, since)',
    mark: `concat_ws(' ', account_id, since, acknowledged_at)`,
    said: ['account_id', 'since', 'events', 'acknowledged_at', 'acknowledged_by', 'reason'],
    kept: ['account', 'first_event'],
  },
} as const satisfies Readonly<Record<string, RecordRule>>

export type RecordTable = keyof typeof RECORD_TABLES

export const RECORD_NAMES: readonly RecordTable[] = ['acts', 'alarms', 'fires', 'pruned_runs', 'suspects']
