import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** Version of this package, from a checkout as from an installed one: package.json is the one place that has it. */
export const VERSION: string = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))).version
