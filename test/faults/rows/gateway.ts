import { setTimeout as sleep } from 'node:timers/promises'
import { HTML_TYPE, JSON_TYPE, on, onAct, onLook, onMethod, onRoutes, once, status } from '../moments.ts'
import { MIDDLE, rowsOf, type FaultRow } from '../row.ts'

const row = rowsOf('gateway')
const heals = { heals: true }
const never = new Promise<never>(() => {})

const envoy = (code: string, text: string) =>
  status(Number(code), JSON_TYPE, JSON.stringify({ requestId: '7f0c4b43-9c4e-4b1d-9e5e-8a1c73d5f2a5', status: code, statusText: text }))
const noConnection = envoy(
  '503',
  'upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}',
)
const cutUpstream = envoy('503', 'upstream_reset_before_response_started{connection_termination}')
const HTML = status(200, HTML_TYPE, '<!doctype html><title>Sign in</title>')

export const gatewayRows: FaultRow[] = [
  row('down', ['failed', 'GATEWAY_UNREACHABLE', 2, 0], ({ toGateway }) => toGateway.close()),
  row(
    'down, and up again',
    ['succeeded', 'GATEWAY_UNREACHABLE', 2, 1],
    async (bench) => {
      await bench.toGateway.close()
      bench.onRetry = () => void bench.toGateway.open()
    },
    { ...heals, retry: '{ attempts: 2, backoff: 300ms }' },
  ),
  row(
    'slow at the route list',
    ['succeeded', 'GATEWAY_UNREACHABLE', 2, 1],
    ({ toGateway }) => onRoutes(toGateway, once({ kind: 'hold', until: never })),
    {
      ...heals,
      bench: { config: { gateway: { setupTimeout: '2s' } } },
    },
  ),
  row(
    'slow at initialize',
    ['succeeded', 'UPSTREAM_UNAVAILABLE', 2, 1],
    ({ toGateway }) => onMethod(toGateway, 'initialize', once({ kind: 'hold', until: never })),
    {
      ...heals,
      bench: { config: { gateway: { setupTimeout: '2s' } } },
    },
  ),
  row(
    'slow at a tool call: no time-out but the deadline',
    ['succeeded', null, 1, 1],
    ({ toGateway }) => onLook(toGateway, () => ({ kind: 'hold', until: sleep(2500) })),
    {
      bench: { config: { gateway: { setupTimeout: '2s' } } },
    },
  ),
  row(
    'reset at the route list',
    ['succeeded', 'GATEWAY_UNREACHABLE', 2, 1],
    ({ toGateway }) => onRoutes(toGateway, once({ kind: 'reset-before' })),
    heals,
  ),
  row(
    'reset at initialize',
    ['succeeded', 'GATEWAY_UNREACHABLE', 2, 1],
    ({ toGateway }) => onMethod(toGateway, 'initialize', once({ kind: 'reset-before' })),
    heals,
  ),
  row('reset before a call was passed on', ['failed', 'OUTCOME_UNKNOWN', 1, 0], ({ toGateway }) =>
    onAct(toGateway, () => ({ kind: 'reset-before' })),
  ),
  row('reset after a call was passed on', ['failed', 'OUTCOME_UNKNOWN', 1, 1], ({ toGateway }) =>
    onAct(toGateway, () => ({ kind: 'reset-after' })),
  ),
  row(
    'reset after a call was passed on, told to the model',
    ['incomplete', 'OUTCOME_UNKNOWN', 1, 1],
    ({ toGateway }) => onAct(toGateway, () => ({ kind: 'reset-after' })),
    {
      more: 'onUnknown: tell-model',
    },
  ),
  row(
    'reset before a repeatable call',
    ['succeeded', 'UPSTREAM_UNAVAILABLE', 2, 1],
    ({ toGateway }) => onLook(toGateway, once({ kind: 'reset-before' })),
    heals,
  ),
  row(
    'reset after a repeatable call',
    ['succeeded', 'UPSTREAM_UNAVAILABLE', 2, 1],
    ({ toGateway }) => onLook(toGateway, once({ kind: 'reset-after' })),
    heals,
  ),
  row('cut in the middle of a call’s answer', ['failed', 'OUTCOME_UNKNOWN', 1, 1], ({ toGateway }) =>
    onAct(toGateway, () => ({ kind: 'cut', bytes: 20 })),
  ),
  row(
    'refuses the connection in mid-run',
    ['succeeded', 'GATEWAY_UNREACHABLE', 2, 1],
    (bench) => {
      // Between two calls: the model is at work.
      on(
        bench.toModel,
        ({ before }) => before === 1,
        () => ({ kind: 'hold', until: bench.toGateway.close() }),
      )
      bench.onRetry = () => void bench.toGateway.open()
    },
    { ...heals, retry: '{ attempts: 2, backoff: 300ms }' },
  ),
  ...(['502', '504'] as const).flatMap((code) => [
    row(
      `HTTP ${code} at the route list`,
      ['succeeded', 'GATEWAY_UNREACHABLE', 2, 1],
      ({ toGateway }) => onRoutes(toGateway, once(status(Number(code)))),
      heals,
    ),
    row(
      `HTTP ${code} at initialize`,
      ['succeeded', 'UPSTREAM_UNAVAILABLE', 2, 1],
      ({ toGateway }) => onMethod(toGateway, 'initialize', once(status(Number(code)))),
      heals,
    ),
    row(`HTTP ${code} at a call`, ['failed', 'OUTCOME_UNKNOWN', 1, 0], ({ toGateway }) => onAct(toGateway, () => status(Number(code)))),
    row(
      `HTTP ${code} at a repeatable call`,
      ['succeeded', 'UPSTREAM_UNAVAILABLE', 2, 1],
      ({ toGateway }) => onLook(toGateway, once(status(Number(code)))),
      heals,
    ),
  ]),
  row(
    'HTTP 503 at a call, no connection to the server',
    ['succeeded', 'UPSTREAM_UNAVAILABLE', 2, 1],
    ({ toGateway }) => onAct(toGateway, once(noConnection)),
    heals,
  ),
  row('HTTP 503 at a call, the server’s connection broke', ['failed', 'OUTCOME_UNKNOWN', 1, 0], ({ toGateway }) =>
    onAct(toGateway, () => cutUpstream),
  ),
  row(
    'HTTP 503 at the route list',
    ['succeeded', 'GATEWAY_UNREACHABLE', 2, 1],
    ({ toGateway }) => onRoutes(toGateway, once(noConnection)),
    heals,
  ),
  row('redirects the route list', ['failed', 'GATEWAY_UNREACHABLE', 1, 0], ({ toGateway }) =>
    onRoutes(toGateway, () => status(302, { location: 'https://login.example.com/' })),
  ),
  row('redirects a call', ['failed', 'GATEWAY_UNREACHABLE', 1, 0], ({ toGateway }) =>
    onAct(toGateway, () => status(307, { location: 'https://elsewhere.example.com/' })),
  ),
  row('HTML for the route list', ['failed', 'GATEWAY_UNREACHABLE', 1, 0], ({ toGateway }) => onRoutes(toGateway, () => HTML)),
  row('HTML for initialize', ['failed', 'UPSTREAM_ERROR', 1, 0], ({ toGateway }) => onMethod(toGateway, 'initialize', () => HTML)),
  row('HTML for a call', ['failed', 'OUTCOME_UNKNOWN', 1, 0], ({ toGateway }) => onAct(toGateway, () => HTML)),
  row('a certificate for another name', ['failed', 'GATEWAY_UNREACHABLE', 1, 0], () => {}, {
    bench: { certificateHosts: ['*.example.com'] },
  }),
  row('not Pomerium: other JSON', ['failed', 'GATEWAY_UNREACHABLE', 1, 0], ({ toGateway }) =>
    onRoutes(toGateway, () => status(200, JSON_TYPE, '{"ok":true}')),
  ),
  row('not Pomerium: HTTP 404', ['failed', 'GATEWAY_UNREACHABLE', 1, 0], ({ toGateway }) => onRoutes(toGateway, () => status(404))),
  row('no route of that name', ['failed', 'ROUTE_UNKNOWN', 1, 0], ({ world: { gateway } }) => {
    gateway.routes.splice(
      gateway.routes.findIndex(({ name }) => name === 'counting'),
      1,
    )
  }),
  row('the route goes in mid-run', ['failed', 'ROUTE_UNKNOWN', 1, 1], ({ toGateway, world: { gateway } }) =>
    onLook(
      toGateway,
      () =>
        void gateway.routes.splice(
          gateway.routes.findIndex(({ name }) => name === 'counting'),
          1,
        ),
    ),
  ),
  row('down for us, and not for the provider', ['failed', 'GATEWAY_UNREACHABLE', 2, 0], ({ toGateway }) => toGateway.close(), {
    delegate: 'hosted',
    script: MIDDLE,
  }),
]
