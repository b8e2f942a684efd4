import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { createJob } from '../../src/jobs/job.ts'
import { jobSchema, readDefinition } from '../../src/jobs/schema.ts'
import { isObject } from '../../src/lib/json/object.ts'

const WRITTEN = { account: 'a', model: { provider: 'p', name: 'm' }, prompt: 'p', tools: { s: { allow: ['look'] } } }
const jobOf = (written: object) => {
  const { $schema: _, ...definition } = jobSchema.parse(written)
  return createJob({ name: 'job', file: 'job.yaml', definition: { ...definition, context: [] } })
}

describe('what is kept of a job', () => {
  test('is what its author wrote, and nothing that a version before does not know', () => {
    expect(jobOf(WRITTEN).kept).toEqual(WRITTEN)
    const schedule = { cron: '0 7 * * 1', timezone: 'Europe/Zurich' }
    expect(jobOf({ ...WRITTEN, schedule }).kept).toEqual({ ...WRITTEN, schedule })
    expect(jobOf({ ...WRITTEN, timezone: 'UTC', schedule }).kept).toEqual({ ...WRITTEN, timezone: 'UTC', schedule })
  })

  test('leaves out each default that is written down', () => {
    const { definition, kept, version } = jobOf({
      ...WRITTEN,
      delegate: 'local',
      timezone: 'UTC',
      contract: 'standard',
      tools: { s: { allow: ['look'], required: true, repeatable: [] } },
      limits: { turns: 20, deadline: '10m' },
      deliver: [{ file: 'r', when: 'always' }],
    })
    expect(kept).toEqual({ ...WRITTEN, deliver: [{ file: 'r' }] })
    expect(definition.limits.turns).toBe(20)
    expect(version).toBe(jobOf({ ...WRITTEN, deliver: [{ file: 'r' }] }).version)
  })

  test('keeps what is not as by default, and the author’s own JSON as it is', () => {
    const written = {
      ...WRITTEN,
      delegate: 'hosted',
      tools: { s: { allow: ['look'], required: false } },
      limits: { turns: 3 },
      input: { type: 'object', properties: { required: { default: true } }, required: [], default: {} },
      output: { schema: { default: [], mend: true }, mend: false },
    }
    expect(jobOf(written).kept).toEqual(written)
  })

  test.each(
    globSync('{jobs,examples/**}/*.yaml', { cwd: join(import.meta.dirname, '../..') }).filter((file) => !/cases|lock|compose/.test(file)),
  )('of %s is read again as the whole definition', (file) => {
    const written: unknown = parse(readFileSync(join(import.meta.dirname, '../..', file), 'utf8'))
    if (!isObject(written) || !('prompt' in written)) return
    const { definition, kept } = jobOf({ ...written, context: [] })
    expect(readDefinition(JSON.parse(JSON.stringify(kept)))).toEqual(definition)
  })
})

describe('a kept definition', () => {
  test('with a field of a later version, at any depth, is none that this one reads: it may be a limit or a check', () => {
    const later = [
      { ...WRITTEN, steps: [] },
      { ...WRITTEN, model: { ...WRITTEN.model, mood: 'high' } },
      { ...WRITTEN, tools: { s: { allow: ['look'], cache: true } } },
      { ...WRITTEN, limits: { turns: 3, bytes: 1 } },
      { ...WRITTEN, deliver: [{ file: 'r.md', retries: 3 }] },
    ]
    for (const kept of later) expect(() => readDefinition(kept)).toThrow(/Unrecognized key/)
  })

  test('that is none is refused', () => {
    for (const kept of [null, {}, { ...WRITTEN, tools: {} }, { ...WRITTEN, prompt: 1, more: 1 }])
      expect(() => readDefinition(kept)).toThrow()
  })
})
