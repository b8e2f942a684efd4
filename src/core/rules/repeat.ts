// Never twice: whether a tool call may be sent, again or at all. One file for the promise, whoever makes the call: our loop while it lives, our loop after a crash, or a
// provider that calls by itself. Only a call that the job declares `repeatable` may run twice; every other one is sent at most once.
import type { ToolCallStatus } from '../run.ts'

/** What follows when the outcome of a call is not known, as the job says (`onUnknown`). */
export type OnUnknown = 'stop' | 'tell-model'

/**
 * A call under way got no answer that says whether it ran. `try-later`: the attempt ends, and the next one makes the call again. `tell-model`: the model is told that it
 * may have run, and the run is not green. `stop`: the run ends with `OUTCOME_UNKNOWN`.
 */
export function decideUnknown(repeatable: boolean, onUnknown: OnUnknown): 'try-later' | OnUnknown {
  return repeatable ? 'try-later' : onUnknown
}

/**
 * What an attempt does with a call that an earlier one left. `keep`: its outcome is known and is told again. `call`: it is made, since it was provably not run or may run
 * twice. Else as for a call whose outcome is not known.
 */
export function decideReplay(status: ToolCallStatus, repeatable: boolean, onUnknown: OnUnknown): 'keep' | 'call' | OnUnknown {
  switch (status) {
    case 'ok':
    case 'error':
    case 'denied':
    case 'refused':
      return 'keep'
    case 'not_run':
      return 'call'
    case 'sent':
    case 'unknown':
      return repeatable ? 'call' : onUnknown
  }
}

/** True when a provider that calls servers itself may be asked once more although it may have called already: each tool it was given may run twice. */
export function mayAskAgain(servers: readonly { tools: readonly string[]; repeatable: readonly string[] }[]): boolean {
  return servers.every(({ tools, repeatable }) => tools.every((tool) => repeatable.includes(tool)))
}

/** True for a call that may have run and must not run twice: the conversation must not be started over. */
export function mayHaveActed({ status, repeatable }: { status: ToolCallStatus; repeatable: boolean }): boolean {
  return !repeatable && status !== 'not_run' && status !== 'denied'
}

/** HTTP statuses that prove that a request was not run. Any other failure leaves open whether it was. */
const NOT_TAKEN = new Set([400, 401, 403, 404, 405, 413, 429])
export const provesNotRun = (status: number): boolean => NOT_TAKEN.has(status)

/** Where a hosted answer stands that ended in an error. */
export interface HostedStanding {
  /** It is over, or provably never began. */
  isOver: boolean
  /** It goes on at the provider, and a later attempt can attach to it. */
  canAttach: boolean
  /** A call that must not run twice may have run in the conversation. */
  acted: boolean
  /** The provider may be asked once more, whatever it did with the tools that it was given. */
  mayAskAgain: boolean
  /** Time may heal the error. */
  canHeal: boolean
}

/**
 * What an error of a hosted answer means. `fail`: the failure as it is; a later attempt asks anew if time can heal it. `fail-for-good`: the same, but never tried again.
 * `leave-open`: the failure as it is; the answer stays open for a later attempt. `unknown`: `OUTCOME_UNKNOWN`.
 */
export function decideHostedError(at: HostedStanding): 'fail' | 'fail-for-good' | 'leave-open' | 'unknown' {
  if (at.isOver) return at.acted && at.canHeal ? 'fail-for-good' : 'fail'
  if (at.canAttach || !at.canHeal) return 'leave-open'
  // It may have called what it was not allowed.
  return at.mayAskAgain && !at.acted ? 'fail' : 'unknown'
}
