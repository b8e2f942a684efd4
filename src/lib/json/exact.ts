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
const MAX_SHOWN = 40

export interface LostNumber {
  /** JSON pointer to it. */
  path: string
  /** As it was written; its first digits where it is long. */
  source: string
  /** What it would become. */
  kept: string
}

/** The first number that a double does not hold: an integer whose digits would change, or one that is too large for any. */
export function lostNumber(json: string): LostNumber | undefined {
  if (!/\d{16}|[eE]\+?\d{3}/.test(json)) return undefined
  const pending = [treeOf(json)]
  while (pending.length > 0) {
    const node = pending.pop()
    if (node?.type === 'number' && isLost(sourceOf(json, node), Number(node.value))) {
      const source = sourceOf(json, node)
      const shown = source.length > MAX_SHOWN ? `${source.slice(0, MAX_SHOWN)}…` : source
      return { path: pointerTo(getNodePath(node)), source: shown, kept: String(node.value) }
    }
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
