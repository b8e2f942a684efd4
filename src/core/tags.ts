/** What who asked for a run calls it by, such as `{ team: 'billing' }`: for finding it again, and for no decision. */
export type Tags = Readonly<Record<string, string>>

export const MAX_TAGS = 16

/** The form of a name. */
export const TAG_NAME = /^[a-zA-Z][\w.-]{0,39}$/
/** The form of a value: one line of at most so many characters. */
export const TAG_VALUE = /^[^\u0000-\u001f\u007f]{1,100}$/

/** What is wrong with a tag; undefined: nothing. */
export function tagFault(name: string, value: string): string | undefined {
  if (!TAG_NAME.test(name)) return 'a name is a letter, and at most 39 letters, digits, _ . - behind it'
  if (!TAG_VALUE.test(value) || !value.isWellFormed()) return 'a value is one line of 1 to 100 characters'
  return undefined
}

/** A tag as it is written and read: `team=billing`. Undefined where there is no `=` in it. */
export function parseTag(text: string): [name: string, value: string] | undefined {
  const at = text.indexOf('=')
  return at < 0 ? undefined : [text.slice(0, at), text.slice(at + 1)]
}
