import { InvalidArgumentError } from 'commander'
import { parseTag, tagFault, type Tags } from '../../core/run.ts'
import { NumberLost, parseJson } from '../../lib/json/parse.ts'

/** `key=value`: a value that is JSON is read as JSON, any other is text. */
export function collectInput(text: string, before: Record<string, unknown> = {}): Record<string, unknown> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Write it as key=value.')
  const value = text.slice(at + 1)
  let parsed: unknown = value
  try {
    parsed = parseJson(value)
  } catch (error) {
    if (error instanceof NumberLost)
      throw new InvalidArgumentError(`In ${text.slice(0, at)}, ${error.message}: ${text.slice(0, at)}='"…"'.`)
    parsed = value
  }
  return { ...before, [text.slice(0, at)]: parsed }
}

/** `name=value` of a tag. */
export function collectTag(text: string, before: Tags = {}): Tags {
  const [name, value] = parseTag(text) ?? [text, '']
  const fault = tagFault(name, value)
  if (fault !== undefined) throw new InvalidArgumentError(`Write it as name=value: ${fault}.`)
  return { ...before, [name]: value }
}
