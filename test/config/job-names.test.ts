import { expect, test } from 'vitest'
import { unknownJobs } from '../../src/config/job-names.ts'

const role = (...jobs: string[]) => ({ role: 'runner' as const, jobs })
const place = (tokens = {}, users = {}, groups = {}) => ({
  listen: '127.0.0.1:8480',
  maxQueued: 1,
  maxAhead: 1,
  sharePercent: 50,
  tokens,
  pomerium: { audience: 'jobs.example.com', users, groups },
})

test('a job that the configuration misspells is told with its place and the job that was meant', () => {
  const token = { sha256: 'a'.repeat(64), ...role('quikc', 'quick') }
  const budgets = { accounts: {}, jobs: { quikc: { tokens: 1 }, quick: { tokens: 1 } } }
  const api = place(
    { some: token, all: { sha256: 'b'.repeat(64), role: 'viewer' } },
    { 'ann@example.com': role('slwo') },
    { ops: role('quick') },
  )
  expect(unknownJobs({ budgets, api }, ['quick', 'slow'])).toEqual([
    'configuration:1: budgets.jobs.quikc names quikc, which is no job; did you mean quick?',
    'configuration:1: api.tokens.some.jobs names quikc, which is no job; did you mean quick?',
    'configuration:1: api.pomerium.users.ann@example.com.jobs names slwo, which is no job; did you mean slow?',
  ])
  expect(unknownJobs({ budgets: { accounts: {}, jobs: {} }, api: undefined }, [])).toEqual([])
})
