/** What a trial may spend. Disposing gives back what it did not. */
interface Share extends AsyncDisposable {
  /** Undefined: as much as the job lets it. */
  usd: number | undefined
  spent(usd: number): void
}

/**
 * Money for a number of trials at a time. Each takes as much as it could spend, so that together they never spend more than there is, but for the answer
 * during which a run finds that its share is gone. `take` waits while others hold all that is left, and gives undefined when nothing is.
 */
export function createMoneyLimit(maxUsd: number | undefined): { take(mostUsd: number | undefined): Promise<Share | undefined> } {
  const money = { left: maxUsd ?? Number.POSITIVE_INFINITY, shares: 0 }
  let waiting: (() => void)[] = []

  return {
    async take(mostUsd) {
      if (maxUsd === undefined) return { usd: mostUsd, spent() {}, async [Symbol.asyncDispose]() {} }
      // oxlint-disable-next-line waits/bounded -- whoever has a share gives it back when its run ends, which has a deadline
      while (money.left <= 0 && money.shares > 0) await new Promise<void>((done) => waiting.push(done))
      if (money.left <= 0) return undefined
      const usd = Math.min(mostUsd ?? money.left, money.left)
      let spent = 0
      money.left -= usd
      money.shares++
      return {
        usd,
        spent: (amount) => void (spent = amount),
        async [Symbol.asyncDispose]() {
          money.left += usd - spent
          money.shares--
          const awake = waiting
          waiting = []
          for (const wake of awake) wake()
        },
      }
    },
  }
}
