import { hostedRows } from './hosted.ts'
import { localRows } from './local.ts'
import type { ProviderRow } from './row.ts'

/** Every row, each with a name of its own. */
export const PROVIDERS: readonly ProviderRow[] = [...localRows, ...hostedRows]
