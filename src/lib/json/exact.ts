import { getNodePath } from 'jsonc-parser'
import { pointerTo, sourceOf, treeOf } from './tree.ts'

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

const INTEGER = /^-?\d+$/

/** JSON pointer to the first number that a double does not hold: an integer whose digits would change, or one that is too large for any. */
export function lostNumber(json: string): { path: string; source: string } | undefined {
  if (!/\d{16}|[eE]\+?\d{3}/.test(json)) return undefined
  const pending = [treeOf(json)]
  while (pending.length > 0) {
    const node = pending.pop()
    if (node?.type === 'number' && isLost(sourceOf(json, node), Number(node.value)))
      return { path: pointerTo(getNodePath(node)), source: sourceOf(json, node) }
    for (const child of node?.children?.toReversed() ?? []) pending.push(child)
  }
  return undefined
}

function isLost(source: string, value: number): boolean {
  if (!Number.isFinite(value)) return true
  return INTEGER.test(source) && source !== String(value) && BigInt(source) !== BigInt(value)
}

/** Whether brackets are nested deeper than that. */
export function isDeeper(json: string, maxDepth: number): boolean {
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const char = json[at]
    if (char === '"') {
      for (at++; at < json.length && json[at] !== '"'; at++) if (json[at] === '\\') at++
    } else if (char === '{' || char === '[') {
      if (++depth > maxDepth) return true
    } else if (char === '}' || char === ']') depth--
  }
  return false
}
