import { expect, test } from 'vitest'
import { z } from 'zod'
import { compileSchema } from '../src/lib/schema/json-schema.ts'
import { keysOf } from '../scripts/reference.ts'
import { DOCUMENTS, jobJsonSchema, readDocument, SCHEMAS, withTables } from '../scripts/generate.ts'

test.each(Object.entries(SCHEMAS))('%s is what the code makes: npm run generate', (file, make) => {
  expect(readDocument(file)).toBe(make())
})

test.each(Object.entries(DOCUMENTS))('the tables of %s are what the code makes: npm run generate', async (file, parts) => {
  const text = readDocument(file)
  expect(await withTables(file, text)).toBe(text)
  for (const make of Object.values(parts)) expect(text).toContain(await make())
})

test('a document without the markers is not overwritten', async () => {
  await expect(withTables('ARCHITECTURE.md', '# Architecture\n')).rejects.toThrow('ARCHITECTURE.md lacks the markers of rooms')
})

test('the schema that editors use knows the same faults as the loader', () => {
  const validate = compileSchema(z.record(z.string(), z.unknown()).parse(JSON.parse(jobJsonSchema())))
  const job = { account: 'reports', model: { provider: 'openai', name: 'm' }, prompt: 'Go', tools: { labor: { allow: ['query'] } } }
  expect(validate(job)).toBeUndefined()
  expect(validate({ ...job, acount: 1 })).toBe('/ must NOT have additional properties (acount)')
  expect(validate({ ...job, limits: { turns: 0, deadline: '10 minutes' } })).toContain('/limits/turns must be >= 1')
  expect(validate({ ...job, tools: { 'a b': { allow: ['query'] } } })).toContain('/tools')
})

test('a reference has each key with its type and default, and names a key that is not explained', () => {
  const schema = z.strictObject({
    lists: z.array(z.strictObject({ on: z.boolean().default(true).describe('Whether.') })).describe('Lists.'),
    places: z
      .record(z.string(), z.union([z.enum(['a', 'b']), z.strictObject({ url: z.url().optional().describe('Where.') })]))
      .prefault({})
      .describe('Places.'),
  })
  expect(keysOf(schema).map(({ key, type, default: value }) => [key, type, value])).toEqual([
    ['lists', 'list of mapping', 'required'],
    ['lists[].on', '`true`, `false`', '`true`'],
    ['places', 'mapping', ''],
    ['places.<name>.url', 'URL', ''],
  ])
  expect(() => keysOf(z.strictObject({ silent: z.string() }))).toThrow('silent has no sentence')
})
