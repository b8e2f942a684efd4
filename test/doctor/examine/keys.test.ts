import { describe, expect, test } from 'vitest'
import { keysOf } from '../../../scripts/reference.ts'
import { configSchema } from '../../../src/config/schema.ts'
import { CHECKS } from '../../../src/doctor/examine/checks.ts'
import { KEYS, notLookedAt } from '../../../src/doctor/examine/keys.ts'
import { isObject } from '../../../src/lib/json/object.ts'

const CONFIG = { gateway: { url: 'https://gateway.example.com' }, accounts: { reports: { token: 'a.b.c' } }, providers: {} }
const unseen = (more: object) => notLookedAt(configSchema.parse({ ...CONFIG, ...more })).map(({ message }) => message)

/** The paths of a table, as the documents write them. */
function pathsOf(keys: unknown, path: string): string[] {
  if (typeof keys === 'string' || (isObject(keys) && 'nobody' in keys)) return [path]
  if (!isObject(keys)) return []
  return Object.entries(keys).flatMap(([key, inner]) =>
    pathsOf(inner, `${path}${path === '' ? '' : '.'}${key === 'each' ? '<name>' : key}`),
  )
}

describe('every key of the configuration', () => {
  test('has whoever looks at it, and no other has', () => {
    const written = keysOf(configSchema).map(({ key }) => key.replace(/\[\].*$/, ''))
    const leaves = [...new Set(written.filter((key) => !written.some((other) => other.startsWith(`${key}.`))))]
    expect(pathsOf(KEYS, '').toSorted()).toEqual(leaves.toSorted())
  })

  test('that is added without one does not compile', () => {
    const { level: _, ...log } = KEYS.log
    // @ts-expect-error log.level is not there
    const keys: typeof KEYS = { ...KEYS, log }
    expect(pathsOf(keys, '')).not.toContain('log.level')
  })

  test('has a check that is there, and no check is without a key', () => {
    const named = new Set(JSON.stringify(KEYS).match(/(?<=")[a-z]+(?=")/g))
    expect(Object.keys(CHECKS).filter((check) => !named.has(check))).toEqual([])
  })
})

describe('what nobody looks at', () => {
  test('is told where it is set, once for each reason', () => {
    expect(
      unseen({
        models: { 'x-1': { readsImages: true } },
        prices: { 'x-1': { input: 1, cachedInput: 1, output: 2 } },
        api: { pomerium: { audience: 'ns.example.com', users: { ann: 'viewer' } } },
      }),
    ).toEqual([
      'prices.x-1.input, prices.x-1.cachedInput, prices.x-1.output, models.x-1.readsImages: whether they are still right, the provider alone knows',
      'api.pomerium.users.ann.role: who there is, the identity provider alone knows',
    ])
  })

  test('is not told of what is not there, and a name that is also that of a key is a name', () => {
    expect(unseen({})).toEqual([])
    expect(unseen({ prices: { tiers: { input: 1, cachedInput: 1, output: 2 } } })).toEqual([
      'prices.tiers.input, prices.tiers.cachedInput, prices.tiers.output: whether they are still right, the provider alone knows',
    ])
  })
})
