import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/lib/digest.ts'
import { jobSchema, readDefinition } from '../../src/jobs/schema.ts'

const KEPT = { account: 'a', model: { provider: 'p', name: 'm' }, prompt: 'p', tools: { s: { allow: ['look'] } } }

describe('the zone of a job', () => {
  test.each([
    ['none is UTC', {}, 'UTC', undefined],
    ['its own', { timezone: 'Asia/Tokyo' }, 'Asia/Tokyo', undefined],
    ['that of its schedule', { schedule: { cron: '0 7 * * 1', timezone: 'Europe/Zurich' } }, 'Europe/Zurich', 'Europe/Zurich'],
    ['its own serves the schedule', { timezone: 'Asia/Tokyo', schedule: { cron: '0 7 * * 1' } }, 'Asia/Tokyo', 'Asia/Tokyo'],
    ['both may differ', { timezone: 'UTC', schedule: { cron: '0 7 * * 1', timezone: 'Europe/Zurich' } }, 'UTC', 'Europe/Zurich'],
  ])('%s', (_, written, timezone, ofSchedule) => {
    const definition = readDefinition({ ...KEPT, ...written })
    expect([definition.timezone, definition.schedule?.timezone]).toEqual([timezone, ofSchedule])
  })

  test('the same zones have the same version, wherever they are written', () => {
    const schedule = { cron: '0 7 * * 1' }
    const [above, within] = [
      { ...KEPT, timezone: 'Asia/Tokyo', schedule },
      { ...KEPT, schedule: { ...schedule, timezone: 'Asia/Tokyo' } },
    ].map((written) => digestOf(jobSchema.parse(written)))
    expect(above).toBe(within)
  })
})

test.each([
  [['get_*'], ['get_sum'], true],
  [['get_*'], ['get_*'], true],
  [['get_sum'], ['get_*'], false],
  [['*'], ['get_*', 'look'], true],
])('allow %j covers repeatable %j: %j', (allow, repeatable, covers) => {
  expect(jobSchema.safeParse({ ...KEPT, tools: { s: { allow, repeatable } } }).success).toBe(covers)
})

describe('a kept definition', () => {
  test('is read again as it was written down', () => {
    const definition = readDefinition({ ...KEPT, schedule: { cron: '0 7 * * 1', timezone: 'UTC' }, output: { schema: {} } })
    expect(readDefinition(JSON.parse(JSON.stringify(definition)))).toEqual(definition)
  })

  test('may have fields of another version, at any depth; a job file may not', () => {
    const later = {
      ...KEPT,
      steps: [],
      model: { ...KEPT.model, effort: 'high' },
      tools: { s: { allow: ['look'], cache: true } },
      limits: { turns: 3, bytes: 1 },
      deliver: [{ file: 'r.md', retries: 3 }],
    }
    const { steps: _, ...known } = later
    expect(readDefinition(later)).toEqual(
      readDefinition({ ...known, model: KEPT.model, tools: KEPT.tools, limits: { turns: 3 }, deliver: [{ file: 'r.md' }] }),
    )
    expect(later).toMatchObject({ steps: [], limits: { bytes: 1 } })
    expect(jobSchema.safeParse(later).success).toBe(false)
  })

  test('that is none is refused', () => {
    for (const kept of [null, {}, { ...KEPT, tools: {} }, { ...KEPT, prompt: 1, more: 1 }]) expect(() => readDefinition(kept)).toThrow()
  })
})
