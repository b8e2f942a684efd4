import type { SchemaFault, Validate } from '../schema/json-schema.ts'
import { mendJson, type Slip } from './mend.ts'

export type Fit = { ok: true; json: string; value: unknown; slips: Slip[] } | { ok: false; faults: SchemaFault[] }

/** Most rounds of mending: what was packed into a text may hold another slip. */
const MAX_ROUNDS = 3

/** Checks a JSON text, which must be valid, and mends what leaves no choice (see `mendJson`) where the whole of it fits afterwards. Else the faults are those of what was written. */
export function fitJson(validate: Validate, json: string, { spare = false, rounds = MAX_ROUNDS } = {}): Fit {
  let text = json
  let value: unknown = JSON.parse(json)
  let faults = validate.faults(value)
  if (faults.length === 0) return { ok: true, json, value, slips: [] }
  const first = faults
  const slips: Slip[] = []
  for (let round = 0; round < rounds; round++) {
    const mended = mendJson(text, faults, { spare })
    if (mended.slips.length === 0) break
    text = mended.json
    slips.push(...mended.slips)
    value = JSON.parse(text)
    faults = validate.faults(value)
    if (faults.length === 0) return { ok: true, json: text, value, slips }
  }
  return { ok: false, faults: first }
}
