import type { FaultBench } from '../../support/app/fault-bench.ts'
import type { Seen } from '../../support/gateway/fault-proxy.ts'
import { on, onAct, onLook, status } from '../moments.ts'
import { rowsOf, type FaultRow } from '../row.ts'

const row = rowsOf('consent')

const route = { upstreamOAuth: { authorizationUrl: 'https://login.example.com/authorize' } }
/** The gateway sends an upstream token once a person has agreed. */
const withoutToken = (seen: Seen) => seen.headers['authorization'] === undefined
const unauthorized = () => status(401)

const missing = ({ toServer }: FaultBench) => on(toServer, withoutToken, unauthorized)
const lost = ({ toServer }: FaultBench) => on(toServer, (seen) => withoutToken(seen) && seen.tool === 'look', unauthorized)

/** A person agrees while the run waits. */
async function playConnected(bench: FaultBench): Promise<string> {
  const { app, world } = bench
  await app.worker.start()
  const runId = await bench.queue()
  await bench.ended(runId)
  world.gateway.connect('svc-reports', 'counting')
  await app.consent.round()
  await bench.finished(runId)
  return runId
}

export const consentRows: FaultRow[] = [
  row('missing before the run', ['waiting', 'CONNECTION_REQUIRED', 1, 0], missing, { bench: { route } }),
  row('missing before the run, given while it waits', ['succeeded', 'CONNECTION_REQUIRED', 2, 1], missing, {
    heals: true,
    play: playConnected,
    bench: { route },
  }),
  row('lost in mid-run', ['waiting', 'CONNECTION_REQUIRED', 1, 1], lost, { bench: { route } }),
  row(
    'lost at a call that must not be repeated: the server had it',
    ['failed', 'OUTCOME_UNKNOWN', 1, 0],
    ({ toServer }) => onAct(toServer, unauthorized),
    {
      bench: { route },
    },
  ),
  row('lost in mid-run, given again while it waits', ['succeeded', 'CONNECTION_REQUIRED', 2, 1], lost, {
    heals: true,
    play: playConnected,
    bench: { route },
  }),
  row(
    'refused by a server whose route knows of no consent',
    ['succeeded', 'UPSTREAM_UNAVAILABLE', 2, 1],
    ({ toServer }) => {
      let refused = false
      onLook(toServer, () => {
        if (refused) return undefined
        refused = true
        return status(401)
      })
    },
    { heals: true },
  ),
  row('missing before the run', ['waiting', 'CONNECTION_REQUIRED', 1, 0], missing, { delegate: 'hosted', bench: { route } }),
  row(
    'missing when the provider lists',
    ['waiting', 'CONNECTION_REQUIRED', 1, 0],
    ({ toServer }) => on(toServer, ({ rpcMethod, before }) => rpcMethod === 'initialize' && before === 1, unauthorized),
    { delegate: 'hosted', bench: { route } },
  ),
  row('lost in mid-answer, after a call that is not repeatable', ['incomplete', 'CONNECTION_REQUIRED', 1, 1], lost, {
    delegate: 'hosted',
    bench: { route },
  }),
  row('lost in mid-answer, before any call that is not repeatable', ['waiting', 'CONNECTION_REQUIRED', 1, 0], lost, {
    delegate: 'hosted',
    script: 'call counting__look {}\nsay $1',
    bench: { route },
  }),
]
