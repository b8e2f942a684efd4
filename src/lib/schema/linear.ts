// Patterns of schemas, matched in linear time by RE2, whatever the pattern and the text.
import { RE2JS } from 're2js'
import { patternSize } from './pattern-size.ts'
import { patternWords } from './pattern-words.ts'

/** A pattern that looks around or back is an error. */
export function compileLinear(pattern: string): RE2JS {
  try {
    // RE2JS takes a reference to a named group for letters.
    if (/(?<!\\)(?:\\\\)*\\k</.test(pattern)) throw new Error('it has a reference to a group')
    return RE2JS.compile(RE2JS.translateRegExp(pattern))
  } catch (cause) {
    throw new Error(`the pattern ${pattern} cannot be used: ${whyNot(pattern, cause)}`, { cause })
  }
}

function whyNot(pattern: string, cause: unknown): string {
  if (/\(\?(?:[=!]|<[=!])|\\(?:[1-9]|k<)/.test(pattern))
    return 'it looks around or back ((?=, (?!, (?<=, (?<!, \\1), which takes time without a bound; write it without'
  const glob = /^\*((?:\.\w{1,20}){1,3})$/.exec(pattern)?.[1]
  if (glob !== undefined)
    return `it is a pattern of file names, and a regular expression is wanted; write ${glob.replaceAll('.', '[.]')}$ for a text that ends in ${glob}`
  return patternWords(cause instanceof Error ? cause.message : String(cause))
}

/** Most steps of a pattern that a person writes: it is compiled on the event loop. */
const MAX_STEPS = 10_000

/** Why a pattern of a person's own cannot be used; undefined when it can. */
export function patternFault(pattern: string): string | undefined {
  if (patternSize(pattern) > MAX_STEPS) return 'its counts ({…}) repeat too much; use smaller ones'
  try {
    compileLinear(pattern)
    return undefined
  } catch (error) {
    return whyNot(pattern, error instanceof Error ? error.cause : error)
  }
}
