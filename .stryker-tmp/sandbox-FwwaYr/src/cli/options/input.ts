// @ts-nocheck
import { InvalidArgumentError } from 'commander'

/** `key=value`: a value that is JSON is read as JSON, any other is text. */
export function collectInput(text: string, before: Record<string, unknown> = {}): Record<string, unknown> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Write it as key=value.')
  const value = text.slice(at + 1)
  let parsed: unknown = value
  try {
    parsed = JSON.parse(value)
  } catch {
    parsed = value
  }
  return { ...before, [text.slice(0, at)]: parsed }
}
