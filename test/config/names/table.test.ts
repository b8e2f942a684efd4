import { describe, expect, test } from 'vitest'
import { FILES } from '../../../scripts/files.ts'
import { JOB_NAMES } from '../../../scripts/job-names.ts'
import { keysOf, namePlaces } from '../../../scripts/reference.ts'
import { NAMES } from '../../../src/config/names/table.ts'
import { configSchema } from '../../../src/config/schema.ts'
import { jobSchema } from '../../../src/jobs/schema.ts'

/** Texts of the configuration that are no names: addresses, secrets, words and moments; paths are those of FILES. */
const TEXTS = [
  'databaseUrl',
  'redisUrl',
  'gateway.address',
  'gateway.proxy',
  'accounts.<name>.token',
  'providers.<name>.apiVersion',
  'providers.<name>.apiKey',
  'providers.<name>.proxy',
  'contract.text',
  'webhooks.<name>.secret',
  'webhooks.<name>.proxy',
  'audit.expected[].path',
  'audit.expected[].ip',
  'api.listen',
  'api.tokens.<name>.sha256',
  'api.tokens.<name>.expires',
]

/** The same of a job file: texts, templates, patterns, expressions, and schemas, whose names are their own. */
const JOB_TEXTS = [
  'description',
  'input.<name>',
  'instructions',
  'prompt',
  'tools.<name>.notes',
  'tools.<name>.instructions',
  'schedule.cron',
  'deliver[].file',
  'output.schema.<name>',
]

describe('whatever is a key of somebody’s own, or a free text, says what it names or that it is no name', () => {
  test('in the configuration', () => {
    const paths = FILES.map(({ key }) => key).filter((key) => !key.startsWith('minter:'))
    const found = namePlaces(configSchema)
    expect(found.filter((key) => !(key in NAMES) && !TEXTS.includes(key) && !paths.includes(key))).toEqual([])
    expect([...Object.keys(NAMES), ...TEXTS].filter((key) => !found.includes(key))).toEqual([])
  })

  test('in a job file', () => {
    const found = namePlaces(jobSchema)
    expect(found.filter((key) => !(key in JOB_NAMES) && !JOB_TEXTS.includes(key))).toEqual([])
    expect([...Object.keys(JOB_NAMES), ...JOB_TEXTS].filter((key) => !found.includes(key))).toEqual([])
  })

  test('whose sentence calls it a name has an entry', () => {
    for (const [schema, names] of [
      [configSchema, NAMES],
      [jobSchema, JOB_NAMES],
    ] as const) {
      const called = keysOf(schema).filter(({ type, sentence }) => type === 'text' && /^Name |\bunder \w+:/.test(sentence))
      expect(called.length).toBeGreaterThan(0)
      expect(called.map(({ key }) => key).filter((key) => !(key in names))).toEqual([])
    }
  })
})
