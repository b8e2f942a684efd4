import { parseDigits } from './parse.ts'

/** The value of a text that is a JSON object or list as a whole; undefined for any other. */
export function parsedJson(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    const value = parseDigits(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
