import { open, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { describeError, Failure, messageOf } from '../core/failure.ts'
import type { ParseOptions } from '../pomerium/log-line.ts'
import { keepDuty, type DutyRecord } from '../lib/time/duty.ts'
import { raiseAlarms, sendAlarms, type AlarmOptions } from './alarm.ts'
import { noteBadRow } from '../store/bad-rows.ts'
import { joinEvents, type JoinTime } from './join/match.ts'
import { followLog, LOOK_MS } from './log/follow.ts'
import { followStream } from './log/stream.ts'
import { importLog, type ImportCounts } from './log/import.ts'

export interface ReadOptions extends AlarmOptions, ParseOptions {}

const CHUNK = 1_048_576

/** A log file from its beginning. `COMMAND_INVALID` when it cannot be read. */
export async function openLog(file: string): Promise<Readable> {
  try {
    if (!(await stat(file)).isDirectory()) return (await open(file)).createReadStream({ highWaterMark: CHUNK })
    throw new Error('it is a directory')
  } catch (cause) {
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The log ${file} cannot be read: ${messageOf(cause)}.`,
      cure: 'Name a readable file, or - for stdin.',
      cause,
    })
  }
}

/** Reads a whole log, explains what it can of it, and raises alarms. Reading it twice changes nothing. */
export async function readLog(
  options: ReadOptions,
  log: Readable,
  signal: AbortSignal,
): Promise<Omit<ImportCounts, 'from'> & { matched: number }> {
  const { db, paramsBytes, redact, accountIds, log: told } = options
  const { from, ...counts } = await importLog(log, { db, paramsBytes, redact, accountIds, log: told, signal })
  const { matched, asOf } = await joinEvents({ ...options, since: from }).catch(async (error: unknown) => {
    await sendAlarms(options)
    throw error
  })
  await raiseAlarms(options, asOf)
  return { ...counts, matched }
}

/** After so many rounds that read nothing, what was not explained is looked at again: a request may be known by now, or its grace time be over. */
const QUIET_ROUNDS = 5
/** After so many rounds in a row that explained nothing, since that failed, lines are taken for unexplained: a false alarm is better than none. */
const FAILED_ROUNDS = 5

/** So often a round also looks at what raised an alarm, and at what something weaker than an id has explained. */
const THOROUGH_MS = 60_000

/** How the reading of a log that grows goes, and the joining of its lines with what runs did. */
export interface LogDuties {
  log: DutyRecord
  match: DutyRecord
}

export const createLogDuties = (): LogDuties => ({ log: keepDuty('log', LOOK_MS), match: keepDuty('match', LOOK_MS) })

/**
 * Reads a log, a file or what is piped in, as it grows until the signal is aborted, explains each line and raises alarms. While lines cannot be explained, alarms that were raised before go out, and
 * new ones are raised when that lasts.
 */
export async function watchLog(
  options: ReadOptions & { name?: string | undefined },
  source: string | Readable,
  duties: LogDuties,
  signal: AbortSignal,
): Promise<void> {
  const { db, log } = options
  let quiet = 0
  let failed = 0
  let thoroughAt = Number.NEGATIVE_INFINITY
  /** Lines were read since alarms were last raised. */
  let news = false

  /** When lines were joined; undefined when they could not be. */
  async function explain(added: number): Promise<JoinTime | undefined> {
    try {
      const thorough = performance.now() - thoroughAt >= THOROUGH_MS
      const { matched, asOf } = await joinEvents({ ...options, thorough })
      if (thorough) thoroughAt = performance.now()
      if (added > 0) log.debug({ added, matched }, 'Lines read.')
      failed = 0
      duties.match.succeeded()
      return asOf
    } catch (error) {
      failed++
      duties.match.failed(error)
      log.error(
        { rounds: failed, reason: describeError(error) },
        'The lines of the log could not be joined with what runs did; it is tried again.',
      )
      await noteBadRow(db, { duty: 'match', rowKey: 'the join of a round', reason: describeError(error) })
      return undefined
    }
  }

  duties.match.started()
  const rounds = {
    ...options,
    signal,
    duty: duties.log,
    async onRound(added: number) {
      quiet = added > 0 ? 0 : quiet + 1
      news ||= added > 0
      const asOf = await explain(added)
      if (failed > 0 && failed % FAILED_ROUNDS !== 0) return sendAlarms(options)
      if (!news && quiet % QUIET_ROUNDS !== 0) return
      await raiseAlarms(options, asOf)
      news = false
    },
  }
  await (typeof source === 'string' ? followLog({ ...rounds, file: source }) : followStream({ ...rounds, input: source }))
}
