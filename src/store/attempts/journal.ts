import { Failure } from '../../core/failure.ts'
import type { Journal } from '../../core/ports/journal.ts'
import type { AttemptRef } from '../../core/run.ts'
import { createContents } from '../contents.ts'
import { createGroupCommit } from '../group-commit.ts'
import { query, retryWhileUnavailable, type Db } from '../postgres/db.ts'
import { sqlStateOf } from '../postgres/faults.ts'
import * as kinds from './journal-kinds.ts'
import type { Kind, RowKind } from './journal-kinds.ts'

/** Writes the rows of all runs of this process by group commit: while one flush is under way the next collects. One statement a flush. */
export interface JournalWriter {
  forAttempt(attempt: AttemptRef): Journal
}

interface Entry {
  kind: RowKind
  key: string
  attempt: AttemptRef
  values: unknown[]
}

/** All kinds, in the order in which a statement names them. */
const KINDS: readonly RowKind[] = Object.values(kinds)
const MAX_ROWS = 500

export function createJournalWriter(db: Db): JournalWriter {
  const contents = createContents(db)
  const statements = new Map<string, string>()
  const journal = createGroupCommit<Entry>({ keyOf: ({ key }) => key, write, isFaultOfOne: isDataFault, maxBatch: MAX_ROWS })

  async function write(batch: readonly Entry[]): Promise<(Error | undefined)[]> {
    const attempts = [...new Map(batch.map(({ attempt }) => [attempt.token, attempt])).values()]
    const ordinals = new Map(attempts.map(({ token }, at) => [token, at + 1]))
    const present = KINDS.filter((kind) => batch.some((entry) => entry.kind === kind))
    const rows = present.flatMap((kind) => {
      const entries = batch.filter((entry) => entry.kind === kind)
      const ordinal = entries.map(({ attempt }) => ordinals.get(attempt.token))
      return [ordinal, ...kind.columns.map((_, column) => entries.map(({ values }) => values[column]))]
    })
    // Postgres cuts names after 63 bytes.
    const name = `journal ${present.map((kind) => KINDS.indexOf(kind)).join(' ')}`
    let text = statements.get(name)
    if (text === undefined) statements.set(name, (text = statementFor(present)))
    const statement = text
    const values = [attempts.map((a) => a.runId), attempts.map((a) => a.number), attempts.map((a) => a.token), ...rows]
    const fenced = await retryWhileUnavailable(() => query<{ ordinal: number }>(db, statement, values, name))
    const owned = new Set(fenced.map(({ ordinal }) => ordinal))
    return batch.map(({ kind, attempt }) =>
      kind.unfenced || owned.has(ordinals.get(attempt.token) ?? 0) ? undefined : lostAttempt(attempt),
    )
  }

  function add<Record>(kind: Kind<Record>, attempt: AttemptRef, record: Record): Promise<void> {
    const about = kind.keyOf(record)
    const key = typeof about === 'string' ? about : `${attempt.runId} ${about}`
    return journal.add({ kind, key, attempt, values: kind.valuesOf(record) })
  }

  return {
    forAttempt: (attempt) => ({
      prompt: (record) => add(kinds.prompt, attempt, { ...record, token: attempt.token }),
      turn: (record) => add(kinds.turn, attempt, record),
      unseenAnswer: (record) => add(kinds.unseenAnswer, attempt, record),
      response: (record) => add(kinds.response, attempt, record),
      responseState: (state) => add(kinds.responseState, attempt, state),
      toolCall: (record) => add(kinds.toolCall, attempt, record),
      toolCallRefused: (record, end) => add(kinds.toolCall, attempt, { ...record, end }),
      toolCallDetails: (details) => add(kinds.toolCallDetails, attempt, details),
      lostCalls: (lost) => add(kinds.lostCalls, attempt, lost),
      toolCallEnd: (end) => add(kinds.toolCallEnd, attempt, end),
      async keepContent(content) {
        const kept = await contents.keep(content)
        await add(kinds.runContent, attempt, kept)
        return kept
      },
      readContent: (digest) => contents.read(digest),
      gatewayRequest: (record) => add(kinds.gatewayRequest, attempt, record),
      gatewayRequestEnd: (end) => add(kinds.gatewayRequestEnd, attempt, end),
    }),
  }
}

/** SQLSTATE classes of a value that is refused (22) and of a row that breaks a constraint (23). */
const isDataFault = (error: unknown) => /^2[23]/.test(sqlStateOf(error) ?? '')

const lostAttempt = (attempt: AttemptRef) =>
  new Failure({
    code: 'WORKER_LOST',
    message: `Attempt ${attempt.number} of ${attempt.runId} is no longer this worker's: its row was not written.`,
  })

/**
 * The statement for the kinds of a flush. Each attempt that writes is locked against being superseded until the rows are durable (fencing), so a
 * takeover sees either the row or none, and then none can follow.
 */
function statementFor(present: readonly RowKind[]): string {
  let parameter = 3
  const parts = present.flatMap(({ columns, write, unfenced }, at) => {
    const arrays = ['int', ...columns.map(({ type }) => type)].map((type) => `$${++parameter}::${type}[]`)
    const names = ['ordinal', ...columns.map(({ name }) => name)]
    return [
      `rows_${at} as (
         select a.run_id, a.number as attempt, u.* from unnest(${arrays.join(', ')}) as u(${names.join(', ')})
         join ${unfenced ? 'given' : 'fenced'} a on a.ordinal = u.ordinal)`,
      `written_${at} as (${write(`rows_${at}`)})`,
    ]
  })
  return `with given as (
      select * from unnest($1::text[], $2::int[], $3::uuid[]) with ordinality as g(run_id, number, token, ordinal)),
    fenced as (
      select g.run_id, g.number, g.ordinal
      from given g join attempts a on a.run_id = g.run_id and a.number = g.number
      where a.token = g.token and a.finished_at is null for share of a),
    ${parts.join(',\n')}
    select ordinal::int as ordinal from fenced`
}
