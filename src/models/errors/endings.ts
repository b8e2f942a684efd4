import { Failure } from '../../core/failure.ts'
import { showLine } from '../../lib/text.ts'
import type { StopReason } from '../model.ts'

// How an answer ended, by the words of its provider. Only words that are known are believed: an answer that ended in any other way may be a part of one.

export type EndingWords = Readonly<Record<string, StopReason>>

export const reasonOf = (words: EndingWords, name: string): StopReason | undefined => (Object.hasOwn(words, name) ? words[name] : undefined)

/** Which answer it is. */
export interface Answered {
  model: string
  requestId: string | null
}

/** An answer that is none: it may be another one when it is asked for again. */
export const brokenAnswer = ({ model, requestId }: Answered, what: string): Failure =>
  new Failure({ code: 'MODEL_UNAVAILABLE', message: `Model ${model} ${what}.`, requestId: requestId ?? undefined })

/** What a word says of the ending. Throws `MODEL_UNAVAILABLE` for one that is not known. */
export function knownEnding(words: EndingWords, word: unknown, answered: Answered): StopReason {
  const name = typeof word === 'string' ? word.toLowerCase() : ''
  const reason = reasonOf(words, name)
  if (reason !== undefined) return reason
  const said = name === '' ? 'did not say how its answer ended' : `ended its answer with “${showLine(name).slice(0, 60)}”`
  throw brokenAnswer(answered, `${said}: it may be a part of one`)
}
