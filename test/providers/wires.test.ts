// The same three jobs by every wire and delegate, twice at a time for one user: the same rows, and a log in which each line is of its own run.
import { expect, test } from 'vitest'
import { buildTestApp } from '../support/app/test-app.ts'
import { countingJob } from '../support/app/jobs.ts'
import { createLateAccounts } from '../support/gateway/late-accounts.ts'
import { openTestMinter } from '../support/gateway/minter.ts'
import { audited } from '../support/log/audited.ts'
import { countingRoute, startCountingServer } from '../support/mcp/counting-server.ts'
import type { RunView } from '../../src/core/view.ts'
import { TOTAL_OUTPUT } from './pieces.ts'

type Api = 'responses' | 'chat' | 'anthropic'
type Delegate = 'local' | 'hosted'

/** `guarded` is a route to the same server, where policy denies `act`. */
const GUARDED = 'guarded: { allow: [act, look], repeatable: [look], minCalls: 0 }'

const jobs = (delegate: Delegate) => {
  const of = (model: string, more = '', tools?: string) =>
    countingJob({ model, ...(tools !== undefined && { tools }), retry: '{ attempts: 1 }', more: `delegate: ${delegate}\n${more}` })
  return { plain: of('plain'), schema: of('schema', TOTAL_OUTPUT), denied: of('denied', '', GUARDED) }
}

const scripts = {
  plain: 'call counting__act {"n": 1}\ncall counting__look {"n": 1} & counting__look {"n": 2}\nsay $1 $2 $3',
  schema: 'call counting__act {"n": 2}\nsay {"total": 3}',
  denied: 'call guarded__act {"n": 3}\ncall guarded__look {"n": 3}\nsay It was denied; $2.',
}

const ACTED = (n: number, server = 'counting', status = 'ok') => [server, 'act', { n }, status]
const LOOKED = (n: number, server = 'counting') => [server, 'look', { n }, 'ok']

/** What of each run stands in rows, whichever way it went. */
const ROWS = {
  plain: { status: 'succeeded', reasons: [], output: null, text: 'done done done', calls: [ACTED(1), LOOKED(1), LOOKED(2)] },
  schema: { status: 'succeeded', reasons: [], output: { total: 3 }, text: '{"total": 3}', calls: [ACTED(2)] },
  denied: {
    status: 'incomplete',
    reasons: ['TOOL_DENIED'],
    output: null,
    text: 'It was denied; done.',
    calls: [ACTED(3, 'guarded', 'denied'), LOOKED(3, 'guarded')],
  },
}

const rowsOf = ({ status, reasons, output, outputText, toolCalls }: RunView) => ({
  status,
  reasons: reasons.map(({ code }) => code),
  output,
  text: outputText,
  calls: toolCalls.map(({ server, tool, arguments: args, status: ended }) => [server, tool, args, ended]),
})

const ways: [Delegate, Api][] = [
  ['local', 'responses'],
  ['local', 'chat'],
  ['local', 'anthropic'],
  ['hosted', 'responses'],
  ['hosted', 'anthropic'],
]

test.concurrent.each(ways)(
  'three jobs, %s by %s, twice at a time: the same rows, and each line of the log is of its own run',
  async (delegate, api) => {
    await using building = new AsyncDisposableStack()
    const server = building.use(await startCountingServer())
    const { accounts, standFor } = createLateAccounts()
    const minter = building.use(await openTestMinter({ accounts }))
    const guarded = {
      name: 'guarded',
      from: 'https://guarded.localhost.pomerium.io',
      policy: { allowUsers: ['svc-reports'], denyTool: 'act' },
    }
    const testApp = building.use(
      await buildTestApp({
        api,
        jobs: jobs(delegate),
        scripts,
        routes: [countingRoute(server), countingRoute(server, guarded)],
        config: {
          minter: { socket: minter.socket },
          // The connector of the Messages API names no run: an account for each does.
          accounts: { reports: { tokenFile: 'reports.token', perRun: delegate === 'hosted' && api === 'anthropic' } },
        },
      }),
    )
    standFor(testApp.world.gateway.accounts)
    // A call waits for the same call of the other run, so that both are under way.
    const waiting = new Map<string, () => void>()
    server.answer = async (call) => {
      const key = JSON.stringify([call.name, call.arguments])
      const other = waiting.get(key)
      waiting.delete(key)
      if (other) other()
      else await new Promise<void>((resolve) => waiting.set(key, resolve))
      return 'done'
    }
    const names = ['plain', 'schema', 'denied'] as const
    const ids: [name: (typeof names)[number], id: string][] = []
    for (const name of [...names, ...names]) ids.push([name, await testApp.queue(name)])
    await testApp.app.worker.start()
    const runs = await Promise.all(ids.map(async ([name, id]) => ({ name, run: await testApp.ended(id) })))
    for (const { name, run } of runs) expect(rowsOf(run), `${name}: ${run.failure?.message}`).toEqual(ROWS[name])

    const report = await audited(testApp)
    expect(report).toMatchObject({ unexplained: 0, unreported: 0, recent: 0, missing: 0, suspects: [] })
    expect(report.matched).toBe(report.events)
    const after = await Promise.all(ids.map(([, id]) => testApp.finished(id)))
    const decisions = after.flatMap(({ toolCalls }) => toolCalls.map(({ status, decision }) => ({ status, decision })))
    for (const { status, decision } of decisions) expect(decision).toMatchObject({ allowed: status === 'ok' })
    // The token alone tells whose requests those of the connector are.
    if (delegate === 'hosted' && api === 'anthropic')
      expect(new Set(decisions.map(({ decision }) => decision?.matchedBy))).toEqual(new Set(['account']))
    // No line is said of two calls.
    expect(new Set(decisions.map(({ decision }) => decision?.requestId)).size).toBe(decisions.length)
    expect(decisions).toHaveLength(12)
  },
  120_000,
)
