import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/lib/hash/digest.ts'
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

test.each([
  ['a cron of six fields', { schedule: { cron: '0 0 7 * * 1', timezone: 'UTC' } }],
  ['a cron with H', { schedule: { cron: 'H 7 * * 1', timezone: 'UTC' } }],
  ['a required name that is a slip', { output: { schema: { type: 'object', required: ['totl'], properties: { total: {} } } } }],
  ['a pattern that looks ahead', { input: { type: 'string', pattern: '^(?=a)' } }],
])('what a row keeps of an earlier version is read, though a file with it is refused: %s', (_, part) => {
  expect(readDefinition({ ...KEPT, ...part })).toMatchObject(part)
})
