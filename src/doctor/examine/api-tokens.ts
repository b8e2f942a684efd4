import type { ConfigValues } from '../../config/schema.ts'
import { failed, warning, type Finding } from '../check.ts'

const DAY_MS = 86_400_000
/** A caller needs time to get another. */
const SOON_DAYS = 14

/** Tokens of the API that are good no more, or not for long. */
export function checkApiTokens({ tokens }: NonNullable<ConfigValues['api']>, now = Date.now()): Finding[] {
  return Object.entries(tokens).flatMap(([name, { role, expires }]) => {
    if (!expires) return []
    const days = (expires.getTime() - now) / DAY_MS
    const check = `api token ${name}`
    const cure = `nightshift api-token ${name} --role ${role}, and put its line in the place of the one before.`
    if (days <= 0) return [failed(check, `It expired at ${expires.toISOString()}: who has it is refused.`, cure)]
    return days <= SOON_DAYS ? [warning(check, `It expires in ${days.toFixed(1)} days.`, cure)] : []
  })
}
