import { budgetRows } from './budgets.ts'
import { consentRows } from './consent.ts'
import { gatewayRows } from './gateway.ts'
import { modelRows } from './model.ts'
import { policyRows } from './policy.ts'
import { processRows } from './process.ts'
import type { FaultRow } from './row.ts'
import { tokenRows } from './token.ts'
import { upstreamRows } from './upstream.ts'
import { whoAnsweredRows } from './who-answered.ts'

/** Every fault that Nightshift promises to name. */
export const faultTable: readonly FaultRow[] = [
  ...tokenRows,
  ...gatewayRows,
  ...policyRows,
  ...consentRows,
  ...upstreamRows,
  ...whoAnsweredRows,
  ...modelRows,
  ...budgetRows,
  ...processRows,
]
