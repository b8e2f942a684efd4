import { expect, test } from 'vitest'
import { modelsUsed, modelText, waitsInOne } from '../../../src/core/models/used.ts'
import type { TurnWait } from '../../../src/core/run.ts'

test('the models of a run are told once each, by provider, name and tier, in their order', () => {
  const turn = (provider: string | null, model: string, tier: string | null = null) => ({ provider, model, tier })
  const uses = modelsUsed([
    turn('openai', 'a', 'flex'),
    turn('openai', 'a', 'flex'),
    turn('openai', 'a', 'default'),
    turn('local', 'a'),
    turn(null, 'b'),
  ])
  expect(uses.map((use) => `${modelText(use)} ${use.turns}`)).toEqual(['openai/a (flex) 2', 'openai/a 1', 'local/a 1', 'b 1'])
})

test('waits in a row for one reason are one, with what came after them', () => {
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()
  const wait = (second: number, more: Partial<TurnWait> = {}): TurnWait => ({
    at: at(second),
    provider: 'p',
    model: 'm',
    code: 'MODEL_NO_ROOM',
    message: 'no',
    waitMs: 1000,
    ...more,
  })
  const after: Partial<TurnWait> = { next: 'default tier' }
  const last = wait(3)
  delete last.waitMs
  expect(waitsInOne([wait(0), wait(1), { ...last, ...after }, wait(4), wait(5, { code: 'MODEL_RATE_LIMITED' })])).toMatchObject([
    { at: at(0), times: 2, waitMs: 2000, next: 'default tier' },
    { at: at(4), times: 1, waitMs: 1000, code: 'MODEL_NO_ROOM' },
    { at: at(5), times: 1, code: 'MODEL_RATE_LIMITED' },
  ])
  expect(waitsInOne([])).toEqual([])
})
