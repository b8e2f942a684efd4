import type { CallJournal, RequestJournal } from '../../../core/ports/journal.ts'
import { Failure } from '../../../core/failure.ts'
import { INSTRUCTIONS, type PinnedTool } from '../../../jobs/lock.ts'
import type { JobDefinition } from '../../../jobs/schema.ts'
import { createGatewayFetch } from '../../../pomerium/fetch.ts'
import { preflight } from '../preflight.ts'
import type { RunResources } from '../../resources.ts'

const noCall = () => Promise.reject(new Error('no call is made here'))
const NO_CALLS: CallJournal = { toolCall: noCall, toolCallRefused: noCall, toolCallEnd: noCall, keepContent: noCall }

/** Asks the servers of a job what they and its tools are, as a preflight does; no tool is called, no model is asked. */
export async function toolsToPin(
  resources: RunResources,
  journal: RequestJournal,
  definition: JobDefinition,
  signal: AbortSignal,
): Promise<PinnedTool[]> {
  const { account } = definition
  const tokens = resources.accounts.get(account)
  if (!tokens) throw new Failure({ code: 'JOB_INVALID', message: `There is no account ${account} here.` })
  const { dispatcher, maxResponseBytes } = resources.gateway
  const fetch = createGatewayFetch({
    dispatcher,
    account,
    tokens,
    runId: undefined,
    journal,
    maxResponseBytes,
    redact: resources.redactor.redact,
  })
  const { toolBox } = await preflight({ resources, definition, journal: NO_CALLS, fetch, history: [] }, signal)
  await toolBox.close()
  return [
    ...toolBox.instructions.map((one) => ({ ...one, tool: INSTRUCTIONS })),
    ...toolBox.offered.map(({ server, tool }) => ({ server, tool: tool.name, digest: tool.digest(), definition: tool.definition })),
  ]
}
