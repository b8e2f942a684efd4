import { READ_TOOL } from './results.ts'

// What a model reads of a call that came to nothing, in the words of Nightshift; golden tests hold each of them.

/** A text as the model reads it when a call has no result. */
export const errorOf = (what: string): string => `Error: ${what}`

export const deniedCall = (requestId: string | undefined): string =>
  errorOf(`access to this tool was denied by policy (request ${requestId ?? 'unknown'}). Do not call it again.`)

export const ARGUMENTS_TOO_LARGE = errorOf('the arguments are too large to be sent. Send less.')
export const RESULT_TOO_LARGE = errorOf('the tool ran, but its result was too large to be read. Ask for less.')
export const OUTCOME_UNKNOWN = errorOf('the call was sent and its outcome is not known: it may have run. Do not repeat it.')

// Calls that are not made.
export const NO_MORE_CALLS = errorOf('this run may make no more tool calls. Answer with what you have.')
export const NOT_AFTER_FAILURE = errorOf('not made, because the call before it failed.')
export const SAME_CALL_REFUSED = errorOf(
  'not made: this call gave the same result each time. Change it, wait with nightshift__wait, or answer.',
)
export const TOOL_REFUSED = errorOf(
  'not made: this tool failed in the same way each time. Take another way, or answer and say what is missing.',
)

/** A run that only tries out what a job would do makes no call that changes something. */
export const WRITE_REFUSED = errorOf('this tool may change something, and this run may change nothing. Do not call it again.')

/** A call of a server that other runs kept busy for as long as this one had time. */
export const SERVER_BUSY = errorOf(
  'not made: the server was busy with other work until the deadline of this run was near. Answer with what you have.',
)

/** A repeatable call that took longer than its limit. */
export const noAnswer = (timeoutMs: number): string => errorOf(`no answer within ${timeoutMs / 1000} s; ask for less, or try once more.`)

/** The server wants somebody to open an address and do something there (URL elicitation). */
export const PERSON_NEEDED = errorOf(
  'the tool needs a person to do something at an address first, and nobody is there. Do not repeat the call.',
)

const MAX_NAMED = 10

/** A resource that no result named and that the job does not allow. */
export function unknownResource(uri: string, known: readonly string[]): string {
  const named = known.slice(-MAX_NAMED)
  const list =
    named.length === 0
      ? 'No result has named one so far.'
      : `The ${known.length > named.length ? 'last ones' : 'ones'} named: ${named.join(', ')}.`
  return `${READ_TOOL} reads only what a result of this run named, and none named ${uri.slice(0, 200).toWellFormed()}. ${list}`
}
