import type { StopReason } from '../../model.ts'
import { knownEnding, reasonOf, type Answered, type EndingWords } from '../../errors/endings.ts'
import { fieldsIn, listIn, textIn, type Fields } from '../../foreign.ts'

const CHAT: EndingWords = {
  stop: 'end',
  end: 'end',
  end_turn: 'end',
  complete: 'end',
  stop_sequence: 'end',
  eos: 'end',
  eos_token: 'end',
  tool_calls: 'end',
  tool_call: 'end',
  tool_use: 'end',
  function_call: 'end',
  length: 'cut',
  max_tokens: 'cut',
  max_output_tokens: 'cut',
  model_length: 'cut',
  model_context_window_exceeded: 'cut',
  content_filter: 'filtered',
  content_filtered: 'filtered',
  guardrail_intervened: 'filtered',
  prohibited_content: 'filtered',
  blocklist: 'filtered',
  spii: 'filtered',
  safety: 'filtered',
  sensitive: 'filtered',
  recitation: 'filtered',
  refusal: 'filtered',
}

const RESPONSES: EndingWords = { completed: 'end', incomplete: 'cut' }

/** Endings from good to bad; worse than all is a word that is not known. */
const ENDINGS: readonly StopReason[] = ['end', 'cut', 'filtered']

function rankOf(words: EndingWords, word: string): number {
  const reason = reasonOf(words, word.toLowerCase())
  return reason === undefined ? ENDINGS.length : ENDINGS.indexOf(reason)
}

/** Of two words for how one answer ended the one that says the worse of it; of two as good, the later one. What is no text says nothing. */
function worseOf(words: EndingWords, before: unknown, after: unknown): unknown {
  if (typeof after !== 'string' || after === '') return before
  return typeof before === 'string' && rankOf(words, before) > rankOf(words, after) ? before : after
}

/** `finish_reason` where a stream gives it more than once. */
export const worseFinish = (before: unknown, after: unknown): unknown => worseOf(CHAT, before, after)

/** The answer that the last event of a stream has, with the worse of what the two say of its end: `response.failed` beside `completed` is a failure. */
export function endedAnswer(type: string, answer: Fields): Fields {
  return { ...answer, status: worseOf(RESPONSES, type.slice('response.'.length), answer['status']) }
}

/** `finish_reason`. A whole answer may leave it out, a stream may not. Throws `MODEL_UNAVAILABLE` for an ending that is not known to be good. */
export const chatEnding = (finish: unknown, answered: Answered): StopReason =>
  finish === undefined ? 'end' : knownEnding(CHAT, finish, answered)

/** What was given up in the middle, as its provider marks it. A call that is would be made with a part of its arguments. */
const isCut = ({ type, status }: Fields) => (type === 'message' || type === 'function_call') && status === 'incomplete'

/**
 * `status` of a response, which some servers leave out, with the reason of one that is incomplete and what its items say of themselves. Throws `MODEL_UNAVAILABLE` for any that
 * is under way or was given up.
 */
export function responseEnding({ status, incomplete_details: details, output }: Fields, answered: Answered): StopReason {
  const ending = status === undefined || status === null ? 'end' : knownEnding(RESPONSES, status, answered)
  const reason = textIn(fieldsIn(details)['reason']) ?? ''
  if (ending === 'end' && reason === '' && !listIn(output).some(isCut)) return 'end'
  return reasonOf(CHAT, reason.toLowerCase()) === 'filtered' ? 'filtered' : 'cut'
}
