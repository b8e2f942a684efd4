import { budgetRows } from './rows/budgets.ts'
import { consentRows } from './rows/consent.ts'
import { gatewayRows } from './rows/gateway.ts'
import { modelRows } from './rows/model.ts'
import { policyRows } from './rows/policy.ts'
import { processRows } from './rows/process.ts'
import type { FaultRow } from './row.ts'
import { tokenRows } from './rows/token.ts'
import { upstreamRows } from './rows/upstream.ts'
import { whoAnsweredRows } from './rows/who-answered.ts'

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
