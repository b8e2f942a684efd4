// Green is earned: everything that stands against it, of every delegate, in one place. What decides without an answer is a failure and ends the run elsewhere.
import { unreadRests } from './evidence/partial.ts'
import type { Ungrounded } from './evidence/grounding.ts'
import { cutBytes } from '../../lib/text.ts'
import type { FailureRecord } from '../failure.ts'
import type { FailureCode } from '../failure-codes.ts'
import { ungroundedLine } from '../words/output.ts'
import { reasonOf, type Ending, type FinalStatus, type KeptText, type Reason, type ToolCallStatus } from '../run.ts'

/** What came of one tool call. */
export interface CallFact {
  /** Empty for a tool that does not exist. */
  server: string
  /** As the model knows it. */
  tool: string
  status: ToolCallStatus
  /** What the model read of its result. */
  text: string
  /** The model could not read all of its result. */
  truncated: boolean
  /** What is kept of a result that is larger than the text. */
  kept?: KeptText | undefined
  failure: FailureRecord | null
}

/** What is known of a conversation that has an answer. */
export interface AnswerFacts {
  /** Why the model had to answer, if it had to: a limit, the deadline, a loop. */
  forcedBy: readonly Reason[]
  /** Limits that were found to be passed when the answer was there already. */
  passed: readonly Reason[]
  calls: readonly CallFact[]
  /** The model's answer ended at its output limit. */
  cut: boolean
  /** Why the answer does not fit the job's output; undefined when it does, or when any text will do. */
  misfit: string | undefined
  needed: readonly Need[]
  /** Servers of which a part of a result is enough (`allowPartial`). */
  partial: readonly string[]
  /** Values that the job wants to stand in a result of a tool (`output.grounded`), and that stand in none. */
  ungrounded: readonly Ungrounded[]
  /** What a provider left out of what was to be read, in tokens: it keeps as much as fits, and says nothing more of it. */
  leftOut?: readonly { tokens: number; of: number }[]
  /** Set when the answer asks a question or promises to go on, instead of ending. */
  unfinished: 'asks' | 'promises' | undefined
  /** The model ended the run by a call instead of an answer. */
  ending: Ending | undefined
}

/** Every reason why a run with this answer is not green, the same one once. None: it is. */
export function reasonsAgainst({
  forcedBy,
  passed,
  calls,
  cut,
  misfit,
  needed,
  partial,
  ungrounded,
  leftOut = [],
  unfinished,
  ending,
}: AnswerFacts): Reason[] {
  return distinctReasons([
    ...forcedBy,
    ...passed,
    ...calls.flatMap(reasonsOfCall),
    ...reasonsOfNeed(needed, calls),
    ...unreadRests(calls, partial).map(({ tool, said }) => ({
      code: 'RESULT_PARTIAL' as const,
      message: `The last result of ${tool} says that it is not the whole (${said}), and nothing was read after it.`,
    })),
    ...leftOut.map(({ tokens, of }) => ({
      code: 'RESULT_PARTIAL' as const,
      message: `The provider leaves out the beginning of what does not fit (truncation: auto): about ${tokens} tokens were to be read, and ${of} fit.`,
    })),
    ...(ungrounded.length === 0
      ? []
      : [{ code: 'OUTPUT_UNGROUNDED' as const, message: `The answer says what no tool gave: ${ungroundedLine(ungrounded)}` }]),
    ...(cut ? [{ code: 'ANSWER_CUT' as const, message: 'The model’s answer was cut at its output limit.' }] : []),
    ...(misfit === undefined ? [] : [{ code: 'OUTPUT_INVALID' as const, message: `The answer does not match output.schema: ${misfit}` }]),
    ...(unfinished ? [{ code: 'MODEL_INCOMPLETE' as const, message: `The answer ${UNFINISHED[unfinished]}.` }] : []),
    ...(ending?.kind === 'incomplete' ? [incompleteReason(ending)] : []),
  ])
}

const UNFINISHED = { asks: 'asks a question that nobody can answer', promises: 'promises to go on later, and there is no later' } as const

/** So many successful calls of these servers together, without which an answer may be made up. */
export interface Need {
  servers: readonly string[]
  minCalls: number
}

/** What the job says that its answer rests on: of each server that has a number its own, else one call to any required server that does not say 0. */
export function needsOf(tools: Readonly<Record<string, { required: boolean; minCalls?: number | undefined }>>): Need[] {
  const all = Object.entries(tools)
  const asked = all.flatMap(([server, { minCalls = 0 }]) => (minCalls > 0 ? [{ servers: [server], minCalls }] : []))
  const servers = all.flatMap(([server, { required, minCalls }]) => (required && minCalls !== 0 ? [server] : []))
  return asked.length > 0 || servers.length === 0 ? asked : [{ servers, minCalls: 1 }]
}

/** The needs that the calls do not meet. */
export const unmetNeeds = (needed: readonly Need[], calls: readonly CallFact[]): (Need & { made: number })[] =>
  needed.flatMap((need) => {
    const made = calls.filter(({ server, status }) => need.servers.includes(server) && status === 'ok').length
    return made < need.minCalls ? [{ ...need, made }] : []
  })

const reasonsOfNeed = (needed: readonly Need[], calls: readonly CallFact[]): Reason[] =>
  unmetNeeds(needed, calls).map(({ servers, minCalls, made }) => ({
    code: 'NO_TOOL_RESULT',
    message: `Of ${servers.join(' and ')} ${made} calls gave a result, and the job needs ${minCalls} (${servers.map((server) => `tools.${server}.minCalls`).join(', ')}).`,
  }))

const incompleteReason = ({ because, what, tried }: Extract<Ending, { kind: 'incomplete' }>): Reason => ({
  code: 'MODEL_INCOMPLETE',
  message: `The model could not do it (${because}): ${clip(what)} Tried: ${clip(tried)}`,
})

/** In bytes. A reason is a line; what the model said stands whole in its turn. */
const MAX_WORDS = 1000
const clip = (text: string) => cutBytes(text, MAX_WORDS).text

/** A denial, an unknown outcome, a call that was not taken and a cut result stand against green. An error that the tool itself answered does not, nor a call that we refused: the model knows of both. */
function reasonsOfCall({ tool, status, truncated, failure }: CallFact): Reason[] {
  const reasons: Reason[] = []
  const against = (code: FailureCode, message: string): Reason => ({ ...(failure ? reasonOf(failure) : { message }), code })
  if (status === 'denied') reasons.push(against('TOOL_DENIED', `Policy denied ${tool}.`))
  if (status === 'unknown') reasons.push(against('OUTCOME_UNKNOWN', `The outcome of a call of ${tool} is not known.`))
  if (status === 'not_run' && failure) reasons.push(reasonOf(failure))
  if (truncated) reasons.push({ code: 'RESULT_TOO_LARGE', message: `A result of ${tool} was cut.` })
  return reasons
}

/** The reason of an answer that is larger than what is kept. */
export const answerTooLarge = (maxBytes: number): Reason => ({
  code: 'ANSWER_CUT',
  message: `The answer was cut at ${maxBytes} bytes (limits.outputBytes).`,
})

/** An answer, and not one reason against it. */
export function decideOutcome(reasons: readonly Reason[]): Extract<FinalStatus, 'succeeded' | 'incomplete'> {
  return reasons.length === 0 ? 'succeeded' : 'incomplete'
}

/** The same reason is listed once, with the first message. */
function distinctReasons(reasons: readonly Reason[]): Reason[] {
  const seen = new Map<string, Reason>()
  for (const reason of reasons) {
    const key = `${reason.code} ${reason.message}`
    if (!seen.has(key)) seen.set(key, reason)
  }
  return [...seen.values()]
}
