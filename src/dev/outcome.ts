import type { Recording } from './models/recording.ts'

/** The input of the run that was recorded. */
export const inputOf = ({ input }: Recording): Record<string, unknown> =>
  typeof input === 'object' && input !== null ? Object.fromEntries(Object.entries(input)) : {}

/** What came otherwise than when it was recorded, a line each. */
export function differences(expected: Recording['expect'], now: Recording['expect']): string[] {
  const missing = without(expected.calls, now.calls)
  const more = without(now.calls, expected.calls)
  return [
    ...(expected.status === now.status ? [] : [`was ${expected.status}, is ${now.status}`]),
    ...(String(expected.codes) === String(now.codes) ? [] : [`reasons were ${list(expected.codes)}, are ${list(now.codes)}`]),
    ...(missing.length === 0 ? [] : [`not called as before: ${list(missing)}`]),
    ...(more.length === 0 ? [] : [`called otherwise: ${list(more)}`]),
  ]
}

const list = (words: readonly string[]) => (words.length === 0 ? 'none' : words.join(', '))

/** Each is taken away as often as it is there. */
function without(from: readonly string[], what: readonly string[]): string[] {
  const left = [...what]
  return from.filter((one) => {
    const at = left.indexOf(one)
    if (at === -1) return true
    left.splice(at, 1)
    return false
  })
}
