import { z } from 'zod'
import { nameText } from '../../lib/name.ts'

const entryShape = {
  file: z.string().min(1).optional().describe('A text file beside the job file, or below its folder.'),
  resource: z.string().min(1).max(2048).optional().describe('URI of a resource of an MCP server.'),
  prompt: z.string().min(1).max(1024).optional().describe('Name of a prompt that an MCP server offers.'),
  server: nameText.optional().describe('The server of a resource or prompt. Not needed where the job has one server.'),
  arguments: z.record(z.string(), z.string()).optional().describe('Arguments of the prompt: Liquid templates, as the job’s own prompt.'),
}

interface Entry {
  file?: string | undefined
  resource?: string | undefined
  prompt?: string | undefined
  server?: string | undefined
  arguments?: Record<string, string> | undefined
}

function checkEntry({ file, resource, prompt, server, arguments: args }: Entry, context: z.RefinementCtx): void {
  const fault = (message: string) => context.addIssue({ code: 'custom', message })
  if ([file, resource, prompt].filter((one) => one !== undefined).length !== 1) fault('needs exactly one of file, resource and prompt')
  else if (file !== undefined && server !== undefined) fault('names a file, which has no server; take server out')
  else if (prompt === undefined && args !== undefined) fault('has arguments, which only a prompt takes; take them out')
}

const MAX_ENTRIES = 20

/** What the model reads before the prompt, as a job file names it. */
export const writtenContextSchema = z.array(z.strictObject(entryShape).superRefine(checkEntry)).max(MAX_ENTRIES).default([])

/** The same with the text of each file: the job's version changes with it. */
export const contextSchema = z
  .array(z.strictObject({ ...entryShape, text: z.string().optional() }).superRefine(checkEntry))
  .max(MAX_ENTRIES)
  .default([])

export type ContextEntry = z.output<typeof contextSchema>[number]
