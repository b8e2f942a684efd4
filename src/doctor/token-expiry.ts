import type { Logger } from 'pino'
import { showTime } from '../lib/show/time.ts'
import { describeError } from '../core/failure.ts'
import { createPoller, type Poller } from '../lib/time/poll.ts'
import type { Token, TokenSource } from '../pomerium/token.ts'
import { failed, failedBy, ok, warning, type Finding } from './check.ts'

export interface TokenWatcherOptions {
  accounts: () => ReadonlyMap<string, TokenSource>
  log: Logger
  now?: () => Date
}

const DAY_MS = 86_400_000
/** Days before the end at which a token is warned about. */
const EXPIRY_WARNINGS = [14, 3, 1] as const

/** The token of an account: that there is one, and how long it lives. */
export function checkAccount(account: string, tokens: TokenSource, now = new Date()): { finding: Finding; token: Token | undefined } {
  const check = `account ${account}`
  try {
    const token = tokens.current()
    const { expiresAt } = token
    if (!expiresAt) return { finding: ok(check, `${token.userId} (${token.accountId}), never expires`), token }
    const days = (expiresAt.getTime() - now.getTime()) / DAY_MS
    if (days <= 0)
      return {
        finding: failed(check, `The token expired at ${showTime(expiresAt)}.`, `nightshift account rotate ${account}`, 'TOKEN_REJECTED'),
        token: undefined,
      }
    if (days <= EXPIRY_WARNINGS[0])
      return { finding: warning(check, `The token expires in ${days.toFixed(1)} days.`, `nightshift account rotate ${account}`), token }
    return { finding: ok(check, `${token.userId} (${token.accountId}), expires ${expiresAt.toISOString().slice(0, 10)}`), token }
  } catch (error) {
    return { finding: failedBy(check, error), token: undefined }
  }
}

const WATCH_MS = 3_600_000

/** Warns of tokens that expire: once at 14 days, at 3 days and at 1 day, and of those that cannot be used. */
export function createTokenWatcher({ accounts, log, now = () => new Date() }: TokenWatcherOptions): Poller {
  /** The warning that was given last, by account and token. */
  const warned = new Map<string, number>()

  function watch(account: string, tokens: TokenSource): void {
    const { finding, token } = checkAccount(account, tokens, now())
    if (finding.status === 'failed') log.error({ account, cure: finding.cure }, finding.message)
    if (!token?.expiresAt) return
    const days = (token.expiresAt.getTime() - now().getTime()) / DAY_MS
    const due = EXPIRY_WARNINGS.findLast((limit) => days <= limit)
    const key = `${account} ${token.accountId}`
    if (due === undefined || (warned.get(key) ?? Number.POSITIVE_INFINITY) <= due) return
    warned.set(key, due)
    log.warn(
      { account, expiresAt: token.expiresAt, cure: finding.cure },
      `The token of account ${account} expires in ${days.toFixed(1)} days.`,
    )
  }

  return createPoller({
    name: 'tokens',
    everyMs: WATCH_MS,
    async work() {
      for (const [account, tokens] of accounts()) watch(account, tokens)
    },
    onFailure: (error) => log.warn({ reason: describeError(error) }, 'The expiry of tokens could not be looked at.'),
  })
}
