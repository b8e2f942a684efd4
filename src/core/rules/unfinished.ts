// Prose that is not a result, since it asks a question or promises to go on: nobody can answer, and the run ends here.

/** The first person and what is still to come, at the end of an answer. "We" is left out: a report may speak of what a company will do. */
const PROMISE = /\b(?:I(?:['’]ll| will| am going to|['’]m going to| shall)|let me(?! know))\b/i
const LET_ME_KNOW = /\b(?:let me know|please (?:confirm|provide|specify|clarify|tell me)|get back to you)\b/i

/** What an answer in prose does instead of ending: told by its last sentence alone, in English. Undefined when it ends. */
export function unfinishedProse(text: string): 'asks' | 'promises' | undefined {
  const last = lastSentence(text)
  if (/[?？]["'”’)\]]*$/.test(last) || LET_ME_KNOW.test(last))
    return LET_ME_KNOW.test(last) && /get back to you/i.test(last) ? 'promises' : 'asks'
  return PROMISE.test(last) ? 'promises' : undefined
}

/** Characters at the end that are searched for the last sentence. */
const LOOKED_AT = 600

function lastSentence(text: string): string {
  const end = text.trimEnd().slice(-LOOKED_AT)
  return end.split(/(?<=[.!?。？！]["'”’)\]]?)\s|\n/).at(-1) ?? ''
}
