// @ts-nocheck
import type { CallJournal, RequestJournal } from '../../core/ports/journal.ts'
import { Failure } from '../../core/failure.ts'
import type { PinnedTool } from '../../jobs/lock.ts'
import type { JobDefinition } from '../../jobs/schema.ts'
import { createGatewayFetch } from '../../pomerium/fetch.ts'
import { preflight } from './preflight.ts'
import type { Tools } from '../resources.ts'

const noCall = () => Promise.reject(new Error('no call is made here'))
const NO_CALLS: CallJournal = { toolCall: noCall, toolCallRefused: noCall, toolCallEnd: noCall }

/** Asks the servers of a job what its tools are, as a preflight does; no tool is called, no model is asked. */
export async function describeTools(
  tools: Tools,
  journal: RequestJournal,
  definition: JobDefinition,
  signal: AbortSignal,
): Promise<PinnedTool[]> {
  const { account } = definition
  const tokens = tools.accounts.get(account)
  if (!tokens) throw new Failure({ code: 'JOB_INVALID', message: `There is no account ${account} here.` })
  const { dispatcher, maxResponseBytes } = tools.gateway
  const fetch = createGatewayFetch({ dispatcher, account, tokens, runId: undefined, journal, maxResponseBytes })
  const { toolBox } = await preflight({ tools, definition, journal: NO_CALLS, fetch }, signal)
  await toolBox.close()
  return toolBox.offered.map(({ server, tool }) => ({ server, tool: tool.name, digest: tool.digest(), definition: tool.definition }))
}
