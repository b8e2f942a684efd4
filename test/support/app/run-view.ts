import { noUsage } from '../../../src/core/run.ts'
import type { RunView } from '../../../src/core/view.ts'

/** A run that is over and green, as it is read from the store. */
export const aRunView = (extra: Partial<RunView> = {}): RunView => ({
  id: 'run_019a2b3c-0000-7000-8000-0000deadbeef',
  job: 'headcount',
  jobVersion: 'sha256:1',
  status: 'succeeded',
  reasons: [],
  failure: null,
  trigger: { kind: 'schedule', fireAt: '2026-11-24T07:00:00.000Z' },
  requestedBy: null,
  account: 'reports',
  retryOf: null,
  heldBy: null,
  input: {},
  output: { rows: [1, 2] },
  outputText: '{"rows":[1,2]}',
  ending: null,
  mended: [],
  usage: noUsage,
  cost: { usd: null },
  attempts: [],
  turns: [],
  toolCalls: [],
  gatewayRequests: [],
  createdAt: '2026-11-24T07:00:01.000Z',
  startedAt: '2026-11-24T07:00:02.000Z',
  finishedAt: '2026-11-24T07:00:03.000Z',
  ...extra,
})
