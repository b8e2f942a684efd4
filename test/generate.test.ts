import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { z } from 'zod'
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
  // Editors match its patterns with the engine of JavaScript, which looks ahead.
  const validate = new Ajv2020({ strict: false, logger: false }).compile(
    z.record(z.string(), z.unknown()).parse(JSON.parse(jobJsonSchema())),
  )
  const faultsOf = (value: unknown) =>
    validate(value) ? [] : validate.errors?.map(({ instancePath, keyword, params }) => ({ instancePath, keyword, params }))
  const job = { account: 'reports', model: { provider: 'openai', name: 'm' }, prompt: 'Go', tools: { labor: { allow: ['query'] } } }
  expect(faultsOf(job)).toEqual([])
  expect(faultsOf({ ...job, acount: 1 })).toMatchObject([
    { instancePath: '', keyword: 'additionalProperties', params: { additionalProperty: 'acount' } },
  ])
  expect(faultsOf({ ...job, limits: { turns: 0, deadline: '10 minutes' } })).toMatchObject([
    { instancePath: '/limits/turns', keyword: 'minimum' },
  ])
  expect(faultsOf({ ...job, tools: { 'a b': { allow: ['query'] } } })).toContainEqual(expect.objectContaining({ instancePath: '/tools' }))
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
