import { Failure, messageOf } from '../core/failure.ts'
import { FAILURES, EXIT, type FailureCode } from '../core/failure-codes.ts'
import { clockFault, describeSkew, IN_STEP } from '../core/rules/schedules/skew.ts'
import { deadlineSignal } from '../lib/time/deadline.ts'

/** What a check found. `cure` says what to do about anything but `ok`; `code`, where the fault has one, decides the exit code of the command. */
export interface Finding {
  check: string
  status: 'ok' | 'warning' | 'failed' | 'skipped'
  message: string
  cure?: string | undefined
  code?: FailureCode | undefined
}

export const ok = (check: string, message: string): Finding => ({ check, status: 'ok', message })
export const warning = (check: string, message: string, cure: string): Finding => ({ check, status: 'warning', message, cure })
export const failed = (check: string, message: string, cure?: string, code?: FailureCode): Finding => ({
  check,
  status: 'failed',
  message,
  cure,
  code,
})
/** One fault as it is, several with a line each. */
export const listed = (faults: readonly string[]): string =>
  faults.length === 1 ? faults.join('') : [`${faults.length} faults:`, ...faults].join('\n')

export const skipped = (check: string, message: string): Finding => ({ check, status: 'skipped', message })

/** What to say of a clock that is ahead of another one by `skewMs`; nothing while they agree. */
export function aboutClock(whose: string, other: string, skewMs: number): Finding | undefined {
  const fault = clockFault(skewMs)
  const message = `${whose} is ${describeSkew(skewMs)} ${other}.`
  return fault && (fault === 'wrong' ? failed('clock', message, IN_STEP) : warning('clock', message, IN_STEP))
}

/** What was thrown, with its cure beside it. `cureOfRetried`: for a failure that time may heal, since a check is not tried again. */
export function failedBy(check: string, error: unknown, cureOfRetried?: string): Finding {
  if (!(error instanceof Failure)) return failed(check, `${messageOf(error)}.`, cureOfRetried)
  return failed(check, error.message, error.retry === 'later' ? (cureOfRetried ?? error.cure) : error.cure, error.code)
}

/** The exit code for what was found: of the first fault, which is what a run would meet first. */
export function exitOf(findings: readonly Finding[]): number {
  const first = findings.find(({ status }) => status === 'failed')
  if (!first) return EXIT.ok
  return first.code === undefined ? EXIT.failed : FAILURES[first.code].exit
}

/** Longest time for one check, so that a server that accepts connections and never answers does not hold up the others. */
const CHECK_MS = 10_000

/** How long a check may take (10 s unless it says so), and the code of one that took longer. */
export interface Bound {
  ms?: number | undefined
  code?: FailureCode
}

/**
 * What a check finds: also that nothing answered in time, or what it threw, so that the checks after it are done. Rejects with the reason of the signal alone,
 * once that is aborted, whatever the check waits for.
 */
export async function bounded(
  check: string,
  cure: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Finding | readonly Finding[]>,
  { ms = CHECK_MS, code }: Bound = {},
): Promise<readonly Finding[]> {
  signal.throwIfAborted()
  const late = new Error('it does not answer')
  using deadline = deadlineSignal(signal, ms, () => late)
  // oxlint-disable-next-line waits/bounded -- it is the bound
  const ended = Promise.withResolvers<never>()
  const end = () => ended.reject(deadline.signal.reason)
  deadline.signal.addEventListener('abort', end, { once: true })
  const ofWork = work(deadline.signal)
  try {
    return [await Promise.race([ofWork, ended.promise])].flat()
  } catch (error) {
    // The check was aborted: what it threw does not matter.
    ofWork.catch(() => {})
    signal.throwIfAborted()
    if (deadline.signal.aborted) return [failed(check, `There is no answer within ${ms / 1000} s.`, cure, code)]
    return [failedBy(check, error, cure)]
  } finally {
    deadline.signal.removeEventListener('abort', end)
  }
}
