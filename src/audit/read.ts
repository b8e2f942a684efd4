import { open, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { Failure, messageOf } from '../core/failure.ts'
import type { ParseOptions } from '../pomerium/log-line.ts'
import { raiseAlarms, type AlarmOptions } from './alarm.ts'
import { matchEvents } from './join/match.ts'
import { followLog } from './log/follow.ts'
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
  const { db, paramsBytes, redact, log: told } = options
  const { from, ...counts } = await importLog(log, { db, paramsBytes, redact, log: told, signal })
  const matched = await matchEvents({ ...options, since: from })
  await raiseAlarms(options)
  return { ...counts, matched }
}

/** After so many rounds that read nothing, what was not explained is looked at again: a request may be known by now, or its grace time be over. */
const QUIET_ROUNDS = 5

/** Reads a log as it grows until the signal is aborted, explains each line and raises alarms. */
export async function watchLog(options: ReadOptions, file: string, signal: AbortSignal): Promise<void> {
  let quiet = 0
  await followLog({
    ...options,
    file,
    signal,
    async onRound(added) {
      quiet = added > 0 ? 0 : quiet + 1
      const matched = await matchEvents(options)
      if (added > 0) options.log.debug({ added, matched }, 'Lines read.')
      if (added > 0 || quiet % QUIET_ROUNDS === 0) await raiseAlarms(options)
    },
  })
}
