// Replies to an answer that is not accepted.
import { ANSWER } from './endings.ts'

/** Of an answer that cannot be used. */
export const repairReply = (why: string): string =>
  `Your answer cannot be used: ${why}. Answer again, with the whole corrected answer and nothing else.`

/** The same of an answer that was to be given by a call. */
export const repairCall = (why: string): string =>
  `Error: your answer cannot be used: ${why}. Call ${ANSWER.name} again, alone, with the whole corrected answer.`

/** Of an answer that rests on no tool; of the servers of a group, one is enough. */
export const noEvidenceReply = (groups: readonly (readonly string[])[]): string =>
  `Nobody can answer or go on later, and you have not read anything from ${groups.map((servers) => servers.join(' or ')).join(' and ')}. Do the work now with the tools, or end with nightshift__incomplete.`

/** Of an answer that rests on a part of a result. */
export const partialReply = (rests: readonly { tool: string; said: string }[]): string =>
  `${rests.map(({ tool, said }) => `The last result of ${tool} says that it is not the whole (${said}).`).join(' ')} Read the rest, or call it so that all you need fits into one result, and then give the whole result again. If a part is all that was asked for, say in the result that it is one.`

/** Of an answer that asks or promises. */
export const UNFINISHED_REPLY =
  'Nobody can answer a question, and there is no later: do now what is still to be done, and give the whole result, or end with nightshift__incomplete.'

export const CUT_IN_CALL = 'it was cut off in a call of a tool, which was not made'
