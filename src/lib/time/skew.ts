/**
 * How far the clock of this machine is ahead of another one, in ms; negative: behind it. `ask` tells that clock's time, in ms since 1970, at some moment of its way:
 * what half of the round trip may explain is taken off, so that a slow answer shows no difference that is not there.
 */
export async function measureSkew(ask: () => Promise<number>): Promise<number> {
  // oxlint-disable-next-line house/steady-clock -- it is compared with another clock
  const askedAt = Date.now()
  const startedAt = performance.now()
  const there = await ask()
  const halfMs = (performance.now() - startedAt) / 2
  const aheadMs = askedAt + halfMs - there
  return aheadMs - Math.max(-halfMs, Math.min(aheadMs, halfMs))
}
