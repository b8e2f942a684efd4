// Whether a clock differs too much from another one: one rule for processes, `/readyz` and doctor.
import { showAge } from '../../../lib/show/time.ts'
import { MISSED_AFTER_MS } from './missed.ts'

/** Clocks that are kept in step are within some milliseconds of each other. */
export const OFF_MS = 2000
/** From here on a fire is taken for missed that is not, or is decided so long before its time. */
export const WRONG_MS = MISSED_AFTER_MS

/** `off`: somebody is told. `wrong`: the process is not ready. */
export type ClockFault = 'off' | 'wrong'

/** What to say of a clock that is `skewMs` ahead of another one; negative: behind it. */
export function clockFault(skewMs: number): ClockFault | undefined {
  const apartMs = Math.abs(skewMs)
  return apartMs > WRONG_MS ? 'wrong' : apartMs > OFF_MS ? 'off' : undefined
}

/** Such as `60 min ahead of`. */
export const describeSkew = (skewMs: number): string => `${showAge(Math.abs(skewMs))} ${skewMs < 0 ? 'behind' : 'ahead of'}`

export const IN_STEP = 'Keep the clocks of all machines in step (NTP): fires, tokens of accounts and signatures of reports go by them.'
