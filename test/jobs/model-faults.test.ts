import { expect, test } from 'vitest'
import { createJobFiles, GOOD, OFFER } from '../support/app/job-files.ts'

const files = createJobFiles()

test('settings of a model that its API does not have, and models to go on with that are not there', () => {
  const job = (model: string, rest = '') => GOOD.replace('{ provider: openai, name: m }', `{ provider: openai, name: m, ${model} }`) + rest
  const anthropic = { ...OFFER, apiOf: () => 'anthropic' as const }
  expect(files.faults(job('effort: high, verbosity: low, tier: flex'))).toEqual([])
  expect(files.faults(job('verbosity: low'), 'job.yaml', anthropic)).toEqual([
    'job.yaml:2: model.verbosity is low, which api: anthropic does not have; take it out',
  ])
  expect(files.faults(job('tier: cheap, maxOutputTokens: 0, temperature: 3'))).toHaveLength(3)
  expect(files.faults(job('onRateLimit: fallback'))).toEqual([
    'job.yaml:2: model.onRateLimit is fallback, and there is no model under fallback:; name one, or write wait',
  ])
  expect(files.faults(job('onNoRoom: default'))).toEqual([
    'job.yaml:2: model.onNoRoom says what follows when tier: flex has no room; write tier: flex, or take it out',
  ])
  expect(files.faults(job('fallback: [{ provider: opnai, name: n }, { provider: openai, name: m }]'))).toEqual([
    'job.yaml:2: model.fallback.0.provider is opnai, which is not under providers: in the configuration; did you mean openai?',
    'job.yaml:2: model.fallback.1.name is m of openai once more; take it out',
  ])
  expect(files.faults(job('fallback: [{ provider: openai, name: n }]', 'delegate: hosted\n'))).toEqual([
    'job.yaml:2: model.fallback is for delegate: local; what a hosted provider has begun no other one can go on with. Take it out, or write delegate: local',
  ])
})
