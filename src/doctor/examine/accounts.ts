import type { Job } from '../../jobs/job.ts'
import type { RouteList } from '../../pomerium/routes.ts'
import type { Db } from '../../store/postgres/db.ts'
import { bounded, skipped, type Finding } from '../check.ts'
import { checkRoutes, checkServer, notAsked } from '../gateway.ts'
import { checkAccount } from '../token-expiry.ts'
import type { Context } from './context.ts'

/** Each account: its token, the gateway as it sees it, and each server that its jobs name. */
export async function* examineAccounts(context: Context): AsyncGenerator<Finding, void> {
  for (const [account, tokens] of context.parts.resources.accounts) {
    const { finding, token } = checkAccount(account, tokens)
    yield finding
    if (!token) yield notAsked(account)
    else if (!context.db)
      yield skipped(`gateway as ${account}`, 'not checked: a request to Pomerium is written into the store before it is sent')
    else yield* examineGateway(context, context.db, account)
  }
}

async function* examineGateway(
  { parts: { resources, gatewayFetch, routes }, jobs, signal }: Context,
  db: Db,
  account: string,
): AsyncGenerator<Finding, void> {
  const fetch = gatewayFetch(db, account)
  if (!fetch) return
  const cure = 'Check gateway.url, gateway.address and the network.'
  let known: RouteList | undefined
  yield* await bounded(
    `gateway as ${account}`,
    cure,
    signal,
    async (ended) => {
      const { findings, list } = await checkRoutes(account, () => routes(db, account, ended))
      known = list
      return findings
    },
    { code: 'GATEWAY_UNREACHABLE' },
  )
  if (!known) return
  const list = known
  const mine = jobs.filter(({ definition }) => definition.account === account)
  const usersOf = (server: string): Job[] => mine.filter(({ definition }) => Object.hasOwn(definition.tools, server))
  for (const server of new Set(mine.flatMap(({ definition }) => Object.keys(definition.tools))))
    yield* await bounded(`server ${server} as ${account}`, 'See whether the server behind the route is well.', signal, (ended) =>
      checkServer({
        account,
        server,
        jobs: usersOf(server),
        list,
        fetch,
        maxRequestBytes: resources.maxRequestBytes.get(server),
        timeoutMs: resources.gateway.timeoutMs,
        maxResponseBytes: resources.gateway.maxResponseBytes,
        redact: resources.redactor.redact,
        signal: ended,
      }),
    )
}
