import { Failure } from '../../../core/failure.ts'
import { showLine } from '../../../lib/text.ts'
import type { StopReason } from '../../model.ts'

// How an answer ended, by the words of its provider. Only words that are known are believed: an answer that ended in any other way may be a part of one.

const CHAT: Readonly<Record<string, StopReason>> = {
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

const RESPONSES: Readonly<Record<string, StopReason>> = { completed: 'end', incomplete: 'cut' }

/** Which answer it is. */
export interface Answered {
  model: string
  requestId: string | null
}

/** An answer that is none: it may be another one when it is asked for again. */
export const brokenAnswer = ({ model, requestId }: Answered, what: string): Failure =>
  new Failure({ code: 'MODEL_UNAVAILABLE', message: `Model ${model} ${what}.`, requestId: requestId ?? undefined })

function known(words: Readonly<Record<string, StopReason>>, word: unknown, answered: Answered): StopReason {
  const name = typeof word === 'string' ? word.toLowerCase() : ''
  const reason = Object.hasOwn(words, name) ? words[name] : undefined
  if (reason !== undefined) return reason
  const said = name === '' ? 'did not say how its answer ended' : `ended its answer with “${showLine(name).slice(0, 60)}”`
  throw brokenAnswer(answered, `${said}: it may be a part of one`)
}

/** `finish_reason`. A whole answer may leave it out, a stream may not. Throws `MODEL_UNAVAILABLE` for an ending that is not known to be good. */
export const chatEnding = (finish: unknown, answered: Answered): StopReason =>
  finish === undefined ? 'end' : known(CHAT, finish, answered)

/** `status` of a response, which some servers leave out, and the reason of one that is incomplete. Throws `MODEL_UNAVAILABLE` for any that is under way or was given up. */
export function responseEnding(status: unknown, reason: unknown, answered: Answered): StopReason {
  const ending = status === undefined || status === null ? 'end' : known(RESPONSES, status, answered)
  return ending === 'cut' && reason === 'content_filter' ? 'filtered' : ending
}
