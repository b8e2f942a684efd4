import { Failure } from '../../../core/failure.ts'
import { INSTRUCTIONS } from '../../../jobs/lock.ts'
import type { JobDefinition } from '../../../jobs/schema.ts'
import type { OpenToolBox } from '../../../mcp/toolbox.ts'

/** Throws `TOOL_CHANGED` unless each offered tool, and what each server says of its tools, has the digest of the job's lock file. */
export function checkPins(
  { pinned }: Pick<JobDefinition, 'pinned'>,
  { offered, instructions }: Pick<OpenToolBox, 'offered' | 'instructions'>,
): void {
  if (!pinned) return
  for (const { server, digest } of instructions) {
    if (pinned[server]?.[INSTRUCTIONS] === digest) continue
    const what = pinned[server]?.[INSTRUCTIONS] === undefined ? 'are not pinned' : 'are not the pinned ones'
    throw new Failure({ code: 'TOOL_CHANGED', message: `The instructions that ${server} gives for its tools ${what}.`, server })
  }
  for (const { server, tool } of offered) {
    const known = pinned[server]?.[tool.name]
    if (known === tool.digest()) continue
    const what = known === undefined ? 'is not pinned' : 'has another description or schema than the pinned one'
    throw new Failure({ code: 'TOOL_CHANGED', message: `The tool ${tool.name} of ${server} ${what}.`, server })
  }
}
