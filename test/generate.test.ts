import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { compileSchema } from '../src/lib/json-schema.ts'
import { JOB_SCHEMA_FILE, jobJsonSchema, README_FILE, readmeTables, withTables } from '../scripts/generate.ts'

test('config/job.schema.json is what the code makes: npm run generate', () => {
  expect(readFileSync(JOB_SCHEMA_FILE, 'utf8')).toBe(jobJsonSchema())
})

test('the tables of README.md are what the code makes: npm run generate', () => {
  const readme = readFileSync(README_FILE, 'utf8')
  expect(withTables(readme)).toBe(readme)
  for (const table of Object.values(readmeTables())) expect(readme).toContain(table)
})

test('a README without the markers is not overwritten', () => {
  expect(() => withTables('# Nightshift\n')).toThrow('README.md lacks the markers of exit codes')
})

test('the schema that editors use knows the same faults as the loader', () => {
  const validate = compileSchema(z.record(z.string(), z.unknown()).parse(JSON.parse(jobJsonSchema())))
  const job = { account: 'reports', model: { provider: 'openai', name: 'm' }, prompt: 'Go', tools: { labor: { allow: ['query'] } } }
  expect(validate(job)).toBeUndefined()
  expect(validate({ ...job, acount: 1 })).toBe('/ must NOT have additional properties (acount)')
  expect(validate({ ...job, limits: { turns: 0, deadline: '10 minutes' } })).toContain('/limits/turns must be >= 1')
  expect(validate({ ...job, tools: { 'a b': { allow: ['query'] } } })).toContain('/tools')
})
