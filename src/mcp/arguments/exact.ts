/** JSON.rawJSON, where the runtime has it (Node 22 on): a number that is written as it was read. */
const rawJson: unknown = Reflect.get(JSON, 'rawJSON')

/**
 * Reads JSON whose numbers are written again with their own digits, also those that no double holds. On a runtime without it, as doubles: for what is kept and shown, never
 * for what is sent.
 */
export function parseExact(json: string): unknown {
  if (typeof rawJson !== 'function') return JSON.parse(json)
  return JSON.parse(json, (...[, value, context]: unknown[]) => {
    if (typeof value !== 'number') return value
    const source: unknown = typeof context === 'object' && context !== null ? Reflect.get(context, 'source') : undefined
    return typeof source !== 'string' || source === String(value) ? value : Reflect.apply(rawJson, JSON, [source])
  })
}
