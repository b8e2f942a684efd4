import fc from 'fast-check'

/** What stands for a JSON text that no value is written as. */
const RAW = '@raw:'

const ODD: readonly unknown[] = [
  null, true, false, 0, -1, 1.5, -0.5, 2 ** 53 + 2, 1e308, -1e308, `${RAW}1e999`, `${RAW}-0`, `${RAW}123456789012345678901234567890`,
  '', ' ', 'null', 'x', '\ud83d', 'a\udc00b', '\0', '\u001b[2J', 'x'.repeat(70_000), '{"a":', '[[[[', '-1', '1e999', 'data: x\n\n', '__proto__',
  [], {}, [null], [[]], [1, 'a', null], { type: 'text' }, { type: 7 }, { '': '' }, { '\ud83d': '\ude00' }, { text: null },
] // prettier-ignore

const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)

/** A change of one place of a JSON value; `at` picks the place. */
export type Change =
  | { kind: 'put'; at: number; value: unknown }
  | { kind: 'drop' | 'double' | 'wrap' | 'text' | 'merge'; at: number }
  | { kind: 'add'; at: number; key: string; value: unknown }

const at = fc.nat({ max: 10_000 })
const odd = fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...ODD) }, { weight: 1, arbitrary: fc.constantFrom(nested(40), nested(300)) }, { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 2 }) }) // prettier-ignore

export const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), at, value: odd }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('drop' as const, 'double' as const, 'wrap' as const, 'text' as const, 'merge' as const), at }) }, // prettier-ignore
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('add' as const), at, key: fc.constantFrom('id', 'error', 'type', 'method', 'nextCursor', 'unknown', '__proto__'), value: odd }) }, // prettier-ignore
)

interface Place {
  value: unknown
  set: (value: unknown) => void
  drop: () => void
}

function placesIn(value: unknown, set: (value: unknown) => void, drop: () => void): Place[] {
  const here: Place = { value, set, drop }
  if (Array.isArray(value)) {
    const list: unknown[] = value
    return [here, ...list.flatMap((one, i) => placesIn(one, (other) => void (list[i] = other), () => void list.splice(i, 1)))] // prettier-ignore
  }
  if (typeof value !== 'object' || value === null) return [here]
  return [
    here,
    ...Object.entries(value).flatMap(
      ([key, one]) =>
      placesIn(one, (other) => void Reflect.set(value, key, other), () => void Reflect.deleteProperty(value, key)), // prettier-ignore
    ),
  ]
}

/** The value with the changes, one after the other. */
export function changed(value: unknown, changes: readonly Change[]): unknown {
  const holder: { value: unknown } = { value: structuredClone(value) }
  for (const one of changes) {
    const places = placesIn(holder.value, (other) => void (holder.value = other), () => void (holder.value = null)) // prettier-ignore
    const place = places[one.at % places.length]
    if (place) apply(place, one)
  }
  return holder.value
}

function apply({ value, set, drop }: Place, one: Change): void {
  switch (one.kind) {
    case 'put':
      return set(structuredClone(one.value))
    case 'drop':
      return drop()
    case 'double':
      return set(Array.isArray(value) ? [...value, ...structuredClone(value)] : [value, value])
    case 'wrap':
      return set({ value })
    case 'text':
      return set(typeof value === 'string' ? Number(value) : JSON.stringify(value))
    case 'merge':
      return set(typeof value === 'object' && value !== null ? Object.values(value) : value)
    case 'add':
      if (typeof value === 'object' && value !== null) Reflect.defineProperty(value, one.key, { value: one.value, enumerable: true, writable: true, configurable: true }) // prettier-ignore
  }
}

/** As JSON text, with what no value is written as. */
export const textOf = (value: unknown): string => (JSON.stringify(value) ?? '').replaceAll(new RegExp(`"${RAW}([^"]*)"`, 'g'), '$1')

/** A change of what goes over the wire, whatever it says. */
export interface Wire {
  status: number | undefined
  type: string | undefined
  /** Keeps this share of the bytes. */
  keep: number
  /** Puts this before the event or body at the place. */
  junk: string | undefined
  /** Sends each event twice. */
  twice: boolean
  newline: '\n' | '\r\n' | '\r'
}

const usual = <T>(value: T, ...others: T[]) => fc.oneof({ weight: 12, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: fc.constantFrom(value, ...others) }) // prettier-ignore

export const wire: fc.Arbitrary<Wire> = fc.record({
  status: usual<number | undefined>(undefined, 200, 202, 204, 302, 400, 404, 410, 418),
  type: usual<string | undefined>(undefined, 'text/plain', 'application/json', 'text/event-stream', 'text/html', ''),
  keep: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) }),
  junk: usual<string | undefined>(undefined, 'data: {"type":"unknown.event"}\n\n', ': ping\n\n', 'data: not json\n\n', 'event: error\ndata: {"error":{"message":"odd"}}\n\n', 'data: null\n\n', 'data: []\n\n', 'data: 7\n\n', 'id: \0\nretry: -1\ndata:\n\n', 'data: [DONE]\n\n', '\ufeff'), // prettier-ignore
  twice: usual(false, true),
  newline: usual<Wire['newline']>('\n', '\r\n', '\r'),
})
