import { isObject } from '../../lib/json/object.ts'

/** Fields that name or sort what stands beside them: they come again, and are no piece of a longer text. */
const CONSTANT = new Set(['id', 'type', 'role', 'name', 'index', 'format', 'status', 'object'])

/**
 * Adds a piece of a message to what came of it before, in place: texts go on, lists by the `index` of their items, objects by their fields. The pieces of a stream differ by
 * server; a field that is null says nothing.
 */
export function addPiece(whole: Record<string, unknown>, piece: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(piece)) {
    // As a field of its own it would be the prototype of what it is added to.
    if (value === null || value === undefined || name === '__proto__') continue
    const before = Object.hasOwn(whole, name) ? whole[name] : undefined
    whole[name] = added(before, value, CONSTANT.has(name))
  }
}

function added(before: unknown, value: unknown, isConstant: boolean): unknown {
  if (typeof value === 'string') return typeof before === 'string' && !isConstant ? before + value : value
  if (Array.isArray(value)) return addItems(Array.isArray(before) ? before : [], value)
  if (!isObject(value)) return value
  const whole = isObject(before) ? before : {}
  addPiece(whole, value)
  return whole
}

/** The items of each list that is put together here, by their `index`. */
const places = new WeakMap<unknown[], Map<unknown, Record<string, unknown>>>()

function addItems(items: unknown[], pieces: readonly unknown[]): unknown[] {
  const known = places.get(items) ?? new Map<unknown, Record<string, unknown>>()
  places.set(items, known)
  for (const piece of pieces) {
    if (!isObject(piece)) {
      items.push(piece)
      continue
    }
    const { index } = piece
    const there = index === undefined || index === null ? undefined : known.get(index)
    const whole = there ?? {}
    addPiece(whole, piece)
    if (there) continue
    items.push(whole)
    known.set(index, whole)
  }
  return items
}
