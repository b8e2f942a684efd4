import type { Logger } from 'pino'
import type { TokenSource } from '../pomerium/token.ts'
import { checkAccount, EXPIRY_WARNINGS } from './gateway.ts'

const DAY_MS = 86_400_000
const LOOK_MS = 3_600_000

/** Warns of tokens that expire: once at 14 days, at 3 days and at 1 day, and of those that cannot be used. */
export function createTokenWatch({
  accounts,
  log,
  now = () => new Date(),
}: {
  accounts: ReadonlyMap<string, TokenSource>
  log: Logger
  now?: () => Date
}) {
  /** The warning that was given last, by account and token. */
  const warned = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    for (const [account, tokens] of accounts) {
      const { finding, token } = checkAccount(account, tokens, now())
      if (finding.status === 'failed') log.error({ account, cure: finding.cure }, finding.message)
      if (!token?.expiresAt) continue
      const days = (token.expiresAt.getTime() - now().getTime()) / DAY_MS
      const due = EXPIRY_WARNINGS.findLast((limit) => days <= limit)
      const key = `${account} ${token.accountId}`
      if (due === undefined || (warned.get(key) ?? Number.POSITIVE_INFINITY) <= due) continue
      warned.set(key, due)
      log.warn(
        { account, expiresAt: token.expiresAt, cure: finding.cure },
        `The token of account ${account} expires in ${days.toFixed(1)} days.`,
      )
    }
  }

  return {
    look,
    start() {
      look()
      timer ??= setInterval(look, LOOK_MS)
    },
    stop() {
      clearInterval(timer)
      timer = undefined
    },
  }
}
