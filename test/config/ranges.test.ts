import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { z } from 'zod'
import { keysOf, rangeText, type Key } from '../../scripts/reference.ts'
import { configSchema } from '../../src/config/schema.ts'
import { jobSchema, readDefinition } from '../../src/jobs/schema.ts'
import { MAX_TIMER_MS, durationMs } from '../../src/lib/duration.ts'
import { isObject } from '../../src/lib/json/object.ts'
import { parseYaml, showIssue } from '../../src/lib/yaml/file.ts'
import { minterSchema } from '../../src/minter/config.ts'

const RATES = { input: 1, cachedInput: 1, output: 1 }

/** A good file of each format, with an entry under each name of one's own. */
const FORMATS: Record<string, [schema: z.ZodType, good: Record<string, unknown>]> = {
  'the configuration': [
    configSchema,
    {
      gateway: { url: 'https://mcp.example.com' },
      accounts: { reports: { token: 'TOKEN-OF-REPORTS' } },
      servers: { labor: {} },
      providers: { openai: { apiKey: 'KEY-OF-OPENAI' } },
      prices: { some: { ...RATES, tiers: { flex: RATES } } },
      models: { some: {} },
      budgets: { accounts: { reports: { tokens: 5, costUsd: 5 } }, jobs: { report: { tokens: 5, costUsd: 5 } } },
      api: {},
    },
  ],
  'the minter’s file': [
    minterSchema,
    { socket: 'm.sock', url: 'https://127.0.0.1:1', sharedSecretFile: 's', users: ['one'], maxLifetime: '1h', perMinute: 5 },
  ],
  'a job file': [
    jobSchema,
    { account: 'reports', model: { provider: 'openai', name: 'some' }, prompt: 'Go', tools: { labor: { allow: ['query'] } } },
  ],
}

/** The file with one value set; the names of one's own are those that stand there. */
function withValue(good: Record<string, unknown>, key: string, value: unknown): { text: string; path: string[] } {
  const file = structuredClone(good)
  const path: string[] = []
  let at: Record<string, unknown> = file
  const parts = key.split('.')
  for (const [index, part] of parts.entries()) {
    const name = part === '<name>' ? (Object.keys(at)[0] ?? '') : part
    path.push(name)
    if (index === parts.length - 1) {
      at[name] = value
      break
    }
    const inner = isObject(at[name]) ? at[name] : {}
    at[name] = inner
    at = inner
  }
  return { text: stringify(file), path }
}

/** What a file is refused with, as `start` says it; undefined when it is taken. */
function refused(schema: z.ZodType, text: string): string | undefined {
  const parsed = parseYaml(text, schema, {})
  return parsed.ok ? undefined : parsed.issues.map((issue) => showIssue('c.yaml', issue)).join('\n')
}

const isRanged = ({ type }: Key) => ['integer', 'number', 'duration'].includes(type)
const beyond = (value: number, type: string, by: 1 | -1) => (type === 'number' ? value + by * 0.001 : value + by)

/** Values at both edges, and just beyond them with what has to be said. */
function edges({ type, range }: Key): { taken: unknown[]; refused: [value: unknown, said: string][] } {
  const { least = '', most = '', isOpen = false } = range ?? {}
  if (type === 'duration') {
    const under =
      durationMs(least) === 0 ? ['-1ms', 'is not a duration'] : [`${durationMs(least) - 1}ms`, `is too short; the least is ${least}`]
    return {
      taken: [least, most],
      refused: [
        [under[0], under[1] ?? ''],
        [`${durationMs(most) + 1}ms`, `is too long; the most is ${most}`],
      ],
    }
  }
  const low: [unknown, string] = isOpen
    ? [Number(least), `must be more than ${least}`]
    : [beyond(Number(least), type, -1), `must be at least ${least}`]
  const first = isOpen ? beyond(Number(least), type, 1) : Number(least)
  return { taken: [first, Number(most)], refused: [low, [beyond(Number(most), type, 1), `must be at most ${most}`]] }
}

describe.each(Object.entries(FORMATS))('in %s', (_format, [schema, good]) => {
  const keys = keysOf(schema).filter(isRanged)

  test('each number and each duration has a smallest and a largest value, and the file without them is good', () => {
    expect(keys.length).toBeGreaterThan(1)
    expect(keys.filter(({ range }) => range?.least === undefined || range.most === undefined).map(({ key }) => key)).toEqual([])
    expect(refused(schema, stringify(good))).toBeUndefined()
  })

  test.each(keys)('$key is taken at both ends of its range, and refused beyond them with its line', (key) => {
    const { taken, refused: not } = edges(key)
    for (const value of taken) expect(refused(schema, withValue(good, key.key, value).text), String(value)).toBeUndefined()
    for (const [value, said] of not) {
      const { text, path } = withValue(good, key.key, value)
      const line = text.split('\n').findIndex((one) => one.trim() === `${path.at(-1)}: ${String(value)}`) + 1
      expect(line).toBeGreaterThan(0)
      expect(refused(schema, text)?.startsWith(`c.yaml:${line}: ${path.join('.')} ${said}`), `${refused(schema, text)}`).toBe(true)
    }
  })

  test('no duration that a timer waits for overflows it', () => {
    const waited = keys.filter(({ key, type }) => type === 'duration' && !key.startsWith('retention.'))
    for (const { key, range } of waited) expect(durationMs(range?.most ?? 'none'), key).toBeLessThanOrEqual(MAX_TIMER_MS)
    expect(MAX_TIMER_MS).toBeLessThan(2 ** 31)
  })
})

test('a range says which of its ends is in it, and one that has an end alone says that', () => {
  const schema = z.strictObject({
    open: z.number().positive().max(5).describe('Open.'),
    half: z.int().min(3).describe('Half.'),
    none: z.number().describe('None.'),
  })
  expect(keysOf(schema).map(({ range }) => rangeText(range))).toEqual(['more than 0, to 5', 'from 3', ''])
})

test('a definition that a version without these ends kept is read as it is', () => {
  const limits = { tokens: 10 ** 13, costUsd: 10 ** 7, resultBytes: 10 ** 9, outputBytes: 10 ** 9 }
  expect(readDefinition({ ...FORMATS['a job file']?.[1], limits }).limits).toMatchObject(limits)
})
