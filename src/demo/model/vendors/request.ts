/** A part of a request, whatever its fields are. */
export type Item = Record<string, unknown>

export const isItem = (value: unknown): value is Item => typeof value === 'object' && value !== null && !Array.isArray(value)
export const itemOf = (value: unknown): Item => (isItem(value) ? value : {})
export const itemsOf = (value: unknown): Item[] => (Array.isArray(value) ? value.filter(isItem) : [])
export const wordOf = (value: unknown): string => (typeof value === 'string' ? value : '')
