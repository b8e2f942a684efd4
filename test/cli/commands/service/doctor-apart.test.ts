import { expect, test } from 'vitest'
import { edit, examine, openSetup } from '../../../support/cli/doctor.ts'

const SIZED = { servers: { counting: { maxRequestBytes: 65_536 } } }
const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`

test('what keeps one check from its answer keeps no other: those that need the same say that they were not done', async () => {
  await using setup = await openSetup({ config: { ...SIZED, webhooks: { pager: { url: 'http://127.0.0.1:2/hook', secret: SECRET } } } })
  edit(setup, /databaseUrl: .*/, 'databaseUrl: postgres://127.0.0.1:1/none\nredisUrl: redis://127.0.0.1:1')
  edit(setup, /jobsDir: .*/, 'jobsDir: nowhere')
  edit(setup, 'canary-model-key', '${NO_SUCH_KEY:-}')
  const { code, findings } = await examine(setup)
  expect(findings.filter(({ status }) => status === 'failed').map(({ check, code: of }) => [check, of])).toEqual([
    ['jobs', 'CONFIG_INVALID'],
    ['store', 'STORE_UNAVAILABLE'],
    ['queue', 'QUEUE_UNAVAILABLE'],
    ['webhook pager', undefined],
  ])
  expect(
    findings.filter(({ status, message }) => status === 'skipped' && message.startsWith('not checked')).map(({ check }) => check),
  ).toEqual(['servers and models', 'status', 'gateway as reports', 'log', 'reports'])
  expect(findings.find(({ check }) => check === 'account reports')?.status).toBe('ok')
  // Of the first fault.
  expect(code).toBe(2)
})
