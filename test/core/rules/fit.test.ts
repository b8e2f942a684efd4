import { expect, test } from 'vitest'
import { lackOf } from '../../../src/core/rules/fit.ts'

const held = {
  providers: new Map([
    ['openai', { canHost: true, runHeader: true }],
    ['nameless', { canHost: true, runHeader: false }],
    ['local', { canHost: false, runHeader: true }],
  ]),
  perRun: new Set(['each']),
  accounts: new Set(['reports', 'dear', 'each']),
  factsOf: (_: string, name: string) => ({ price: name === 'priced' ? { input: 1, cachedInput: 1, output: 1 } : undefined }),
  ceilings: (_: string, account: string) => [
    { scope: 'account' as const, name: account, tokens: 1000, costUsd: account === 'dear' ? 5 : undefined },
  ],
}
const limits = { turns: 1, toolCalls: 1, tokens: undefined, deadline: '1m', call: '1m', resultBytes: 1000, outputBytes: 1000 }
const model = (name: string, provider = 'openai') => ({ provider, name, fallback: [] })
const goesOnWith = (name: string, provider = 'openai') => ({ ...model('priced'), fallback: [{ provider, name }] })

test.each([
  [{}, undefined],
  [{ delegate: 'hosted' }, undefined],
  [{ model: model('other') }, undefined],
  [{ limits: { ...limits, costUsd: 1 } }, undefined],
  [{ model: model('priced', 'azure') }, 'the provider azure'],
  [{ account: 'payroll' }, 'the account payroll'],
  [
    { model: model('priced', 'local'), delegate: 'hosted' },
    'an API in which the provider local calls servers itself (responses or anthropic)',
  ],
  [{ model: model('priced', 'local') }, undefined],
  [
    { model: model('priced', 'nameless'), delegate: 'hosted' },
    'what tells the requests of a run from those of somebody else (accounts.reports.perRun, or with api: responses providers.nameless.runHeader)',
  ],
  [{ model: model('priced', 'nameless'), delegate: 'hosted', account: 'each' }, undefined],
  [{ model: model('priced', 'nameless') }, undefined],
  [{ model: model('other'), limits: { ...limits, costUsd: 1 } }, 'a price of the model other'],
  [{ model: model('other'), account: 'dear' }, 'a price of the model other'],
  [{ account: 'dear' }, undefined],
  [{ model: goesOnWith('other') }, undefined],
  [{ model: goesOnWith('other'), account: 'dear' }, 'a price of the model other'],
  [{ model: goesOnWith('priced', 'azure') }, 'the provider azure'],
  [{ model: { ...model('priced'), tier: 'flex' }, account: 'dear' }, undefined],
  [{ model: { ...model('priced'), tier: 'priority' }, account: 'dear' }, 'a price of the model priced'],
] as const)('a worker lacks for a job with %j: %s', (part, lack) => {
  const job = { account: 'reports', model: model('priced'), delegate: 'local', limits: { ...limits, costUsd: undefined }, ...part } as const
  expect(lackOf(held, 'work', job)).toBe(lack)
})
