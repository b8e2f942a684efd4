import type { Serve } from '../support/mcp/scripted-server.ts'

/** What a real server was seen to do, and what should come of a call of its tool `echo`. */
export interface WildCase {
  name: string
  on: Record<string, Serve>
  /** The tool that is called; `echo` without one. */
  tool?: string
  arguments?: string
  /** The job says that the tool may run twice. */
  repeatable?: boolean
  /** Status of the call with the begin of what the model is told, or code of the failure that ends the attempt. */
  expected: string
}
