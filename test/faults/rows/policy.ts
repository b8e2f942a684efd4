import { randomUUID } from 'node:crypto'
import type { FaultBench } from '../../support/app/fault-bench.ts'
import { JSON_TYPE, on, onLook, onMethod, status } from '../moments.ts'
import { ACT, MIDDLE, rowsOf, type FaultRow } from '../row.ts'

const row = rowsOf('policy')

type Policy = FaultBench['world']['gateway']['routes'][number]['policy']

function setPolicy({ world }: FaultBench, policy: Policy): void {
  for (const route of world.gateway.routes) if (route.name === 'counting') route.policy = policy
}

const ALLOWED: Policy = { allowUsers: ['svc-reports'] }
const NOBODY: Policy = { allowUsers: [] }
const NO_ACT: Policy = { ...ALLOWED, denyTool: 'act' }
const NO_LOOK: Policy = { ...ALLOWED, denyTool: 'look' }

/** Pomerium's denial of any JSON-RPC message. */
function denial() {
  const id = randomUUID()
  const message = `access denied, please see the authorization log for the request ${id} for details`
  return status(
    200,
    { ...JSON_TYPE, 'x-request-id': id },
    JSON.stringify({ jsonrpc: '2.0', error: { code: -32602, message, data: { request_id: id } } }),
  )
}

export const policyRows: FaultRow[] = [
  row('denies the route', ['failed', 'ROUTE_DENIED', 1, 0], (bench) => setPolicy(bench, NOBODY)),
  row('denies the route in mid-run', ['incomplete', 'TOOL_DENIED', 1, 1], (bench) =>
    onLook(bench.toGateway, () => setPolicy(bench, NOBODY)),
  ),
  row('denies a tool', ['incomplete', 'TOOL_DENIED', 1, 0], (bench) => setPolicy(bench, NO_ACT)),
  row('denies a tool in mid-run', ['incomplete', 'TOOL_DENIED', 1, 1], (bench) => onLook(bench.toGateway, () => setPolicy(bench, NO_LOOK))),
  row('denies the notification after initialize', ['failed', 'ROUTE_DENIED', 1, 0], ({ toGateway }) =>
    onMethod(toGateway, 'notifications/initialized', denial),
  ),
  row('denies the list of tools', ['failed', 'ROUTE_DENIED', 1, 0], ({ toGateway }) => onMethod(toGateway, 'tools/list', denial)),
  row('allows only calls of a tool, so that no session can be opened', ['failed', 'ROUTE_DENIED', 1, 0], (bench) =>
    setPolicy(bench, { allowTool: 'act' }),
  ),
  row(
    'grants between attempts',
    ['succeeded', 'MODEL_UNAVAILABLE', 2, 1],
    (bench) => {
      setPolicy(bench, NO_ACT)
      bench.onRetry = () => setPolicy(bench, ALLOWED)
    },
    { heals: true, script: `fail 500\nfail 500\nfail 500\n${MIDDLE}` },
  ),
  row(
    'denies between attempts',
    ['failed', 'ROUTE_DENIED', 2, 1],
    (bench) => {
      bench.onRetry = () => setPolicy(bench, NOBODY)
    },
    { script: `${ACT}\nfail 500\nfail 500\nfail 500\nsay $1` },
  ),
  row('denies the route', ['failed', 'ROUTE_DENIED', 1, 0], (bench) => setPolicy(bench, NOBODY), { delegate: 'hosted' }),
  row('denies a tool to the provider', ['incomplete', 'TOOL_DENIED', 1, 0], (bench) => setPolicy(bench, NO_ACT), { delegate: 'hosted' }),
  row('denies a tool to the provider, whose errors are text', ['incomplete', 'TOOL_DENIED', 1, 0], (bench) => setPolicy(bench, NO_ACT), {
    delegate: 'hosted',
    script: `errors-as-text\n${MIDDLE}`,
  }),
  row(
    'denies the route to the provider, after we could list it',
    ['failed', 'ROUTE_DENIED', 2, 0],
    (bench) => {
      on(
        bench.toModel,
        () => true,
        () => setPolicy(bench, NOBODY),
      )
    },
    { delegate: 'hosted' },
  ),
]
