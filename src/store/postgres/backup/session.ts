import pg from 'pg'
import { Failure } from '../../../core/failure.ts'
import { connectionTo } from '../db.ts'
import { storeFailure } from '../faults.ts'

/** For the rows of one table to come or to go; whoever asked may end it at any time. */
const COPY_MS = 24 * 3_600_000
/** A file, or a server, that takes or gives nothing for so long is stuck: references are checked when all rows of a table are there, in silence. */
const SILENT_MS = 600_000
const TIMEOUTS = { connectMs: 10_000, statementMs: COPY_MS, lockMs: 5000, idleInTransactionMs: SILENT_MS, answerMs: 5000 }

/** One session, over a connection of its own, whose statements may take as long as a store is large. A store that is away is `STORE_UNAVAILABLE`. */
export async function withLongSession<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  // Its time-out of a whole statement would go on beside COPY; the server keeps that time.
  const client = new pg.Client({ ...connectionTo(url, TIMEOUTS), query_timeout: 0, lock_timeout: TIMEOUTS.lockMs })
  client.on('error', () => {})
  try {
    await client.connect()
    return await work(client)
  } catch (error) {
    throw storeFailure(error)
  } finally {
    // In the middle of a COPY it is cut off, and the server rolls back.
    await client.end().catch(() => {})
  }
}

/** An end for what passes through: `signal`, or so long a silence. `beat` tells that something passed. */
export interface Silence extends Disposable {
  readonly signal: AbortSignal
  beat(): void
}

export function endOnSilence(signal: AbortSignal): Silence {
  const own = new AbortController()
  const timer = setTimeout(
    () => own.abort(new Failure({ code: 'STORE_UNAVAILABLE', message: `Nothing came or went for ${SILENT_MS / 60_000} minutes.` })),
    SILENT_MS,
  )
  return {
    signal: AbortSignal.any([signal, own.signal]),
    beat: () => void timer.refresh(),
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}
