import { expect, test } from 'vitest'
import { unknownJobs } from '../../src/config/job-names.ts'

const role = (...jobs: string[]) => ({ role: 'runner' as const, jobs })
const place = (tokens = {}, users = {}, groups = {}) => ({
  listen: '127.0.0.1:8480',
  maxQueued: 1,
  tokens,
  pomerium: { audience: 'jobs.example.com', users, groups },
})

test('a job that the configuration misspells is told with its place and the jobs that there are', () => {
  const token = { sha256: 'a'.repeat(64), ...role('quikc', 'quick') }
  const budgets = { accounts: {}, jobs: { quikc: { tokens: 1 }, quick: { tokens: 1 } } }
  const api = place(
    { some: token, all: { sha256: 'b'.repeat(64), role: 'viewer' } },
    { 'ann@example.com': role('slwo') },
    { ops: role('quick') },
  )
  expect(unknownJobs({ budgets, api }, ['quick', 'slow'])).toEqual([
    'configuration: budgets.jobs: quikc is no job; there are quick, slow',
    'configuration: api.tokens.some.jobs: quikc is no job; there are quick, slow',
    'configuration: api.pomerium.users.ann@example.com.jobs: slwo is no job; there are quick, slow',
  ])
  expect(unknownJobs({ budgets: { accounts: {}, jobs: {} }, api: undefined }, [])).toEqual([])
})
