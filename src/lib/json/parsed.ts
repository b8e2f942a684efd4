import { parseDigits } from './parse.ts'

/** The value of a text that is a JSON object or list as a whole; undefined for any other. */
export function parsedJson(text: string, parse: (json: string) => unknown = parseDigits): object | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    const value = parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
