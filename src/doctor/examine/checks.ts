import { digestOf } from '../../config/digest.ts'
import { keysUrlOf } from '../../config/sections/api.ts'
import { bounded, failedBy, ok, skipped, type Finding } from '../check.ts'
import { checkServerNames } from '../gateway.ts'
import { checkMinter } from '../infrastructure.ts'
import { checkListen } from '../listen.ts'
import { checkLog } from '../log.ts'
import { checkAssertionKeys, checkEvidenceKey, checkReportsDir, checkWays, checkWebhook } from '../places.ts'
import { examineStatus } from '../status/examine.ts'
import { checkApiTokens } from './api-tokens.ts'
import { examineAccounts } from './accounts.ts'
import { STORE_CURE, type Check, type Context } from './context.ts'
import { examineProviders } from './models.ts'

/** Every check, in the order of their findings, which is about the one in which a run would meet a fault. What each key of the configuration has of them stands in keys.ts. */
export const CHECKS = {
  store: examineStore,
  queue: ({ queue }) => queue,
  minter: examineMinter,
  ways: ({ config }) => checkWays(config),
  accounts: examineAccounts,
  servers: ({ config, jobs }) => checkServerNames(Object.keys(config.servers), jobs),
  log: examineLog,
  evidence: ({ config }) => [checkEvidenceKey(config.evidence)],
  listen: examineListen,
  callers: examineCallers,
  expiry: ({ config: { api } }) => (api ? checkApiTokens(api) : []),
  reports: ({ config, jobs }) => [
    jobs.some(({ definition }) => definition.deliver.some(({ file }) => file !== undefined))
      ? checkReportsDir(config.reportsDir)
      : skipped('reports', 'not checked: no job writes files'),
  ],
  webhooks: examineWebhooks,
  providers: examineProviders,
} satisfies Record<string, Check>

async function* examineStore({ config, db, store, jobs, parts: { resources }, signal }: Context): AsyncGenerator<Finding, void> {
  yield* store
  if (!db) return yield skipped('status', 'not checked: it is in the store')
  const accounts = new Set(resources.accounts.keys())
  yield* await bounded(
    'status',
    STORE_CURE,
    signal,
    () => examineStatus({ db, jobs, accounts, issues: [], configDigest: digestOf(config) }),
    { code: 'STORE_UNAVAILABLE' },
  )
}

async function* examineMinter({ config: { minter }, parts: { resources }, signal }: Context): AsyncGenerator<Finding, void> {
  if (!minter) return
  const accounts = [...resources.perRun]
  if (accounts.length === 0) return yield skipped('minter', 'not checked: no account has perRun: true')
  yield* await bounded('minter', 'Start nightshift minter again.', signal, () => checkMinter(minter.socket, accounts))
}

async function* examineLog({ config, db, signal }: Context): AsyncGenerator<Finding, void> {
  if (!db) return yield skipped('log', 'not checked: its lines are in the store')
  yield* await bounded('log', STORE_CURE, signal, () => checkLog(db, config.audit.gracePeriod), { code: 'STORE_UNAVAILABLE' })
}

async function* examineListen({ config: { api }, signal }: Context): AsyncGenerator<Finding, void> {
  if (!api) return yield skipped('api', 'nothing listens: there is no api: in the configuration')
  yield* await bounded('api.listen', 'Name another address with api.listen.', signal, (ended) => checkListen(api, ended))
}

async function* examineCallers({ config: { api }, parts: { resources }, signal }: Context): AsyncGenerator<Finding, void> {
  if (!api?.pomerium) return
  const url = keysUrlOf(api.pomerium)
  yield* await bounded('api.pomerium', 'Correct api.pomerium.jwksUrl.', signal, (ended) =>
    checkAssertionKeys(url, resources.gateway.dispatcher, ended),
  )
}

async function* examineWebhooks({ config: { webhooks, alerts }, parts, signal }: Context): AsyncGenerator<Finding, void> {
  try {
    parts.readSecrets()
  } catch (error) {
    yield failedBy('webhooks', error)
  }
  for (const [name, { url, proxy, caFile }] of Object.entries(webhooks))
    yield* await bounded(`webhook ${name}`, `Correct webhooks.${name}.url, or start the receiver.`, signal, (ended) =>
      checkWebhook(name, url, ended, { proxy, caFile }),
    )
  yield alerts
    ? ok('alerts', `go to the webhook ${alerts.webhook}`)
    : skipped('alerts', 'none are sent: an alarm is a line of the log alone (alerts: in the configuration)')
}
