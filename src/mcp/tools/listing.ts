import { z } from 'zod'
import { matchesWildcard } from '../../lib/wildcard.ts'
import { nameOf, parseTool, type ListedTool } from './definition.ts'

/** A page of `tools/list`, without judging the single tools. */
const listPageSchema = z.looseObject({ tools: z.array(z.unknown()).nullish(), nextCursor: z.string().nullish() })

export interface ToolListing {
  /** Those that were asked for. */
  tools: Map<string, ListedTool>
  /** Tools among them that were left out, each with its reason. */
  leftOut: { name: string; why: string }[]
  /** Names of all that the server lists, but of those that were left out. */
  names: string[]
}

const MAX_PAGES = 200
const MAX_TOOLS = 10_000
type AskPage = (params: Record<string, unknown>, schema: typeof listPageSchema) => Promise<z.output<typeof listPageSchema>>

/**
 * Reads a server's list over its pages: until there is no cursor, one comes again, or there were 200. Of tools that no pattern of `allow` names, only the name is
 * kept. Throws an `Error` for a list of more than 10,000 tools.
 */
export async function listAllTools(askPage: AskPage, allow: readonly string[]): Promise<ToolListing> {
  const listing: ToolListing = { tools: new Map(), leftOut: [], names: [] }
  const cursors = new Set<string>()
  let cursor: string | null | undefined
  let tools = 0
  for (let page = 0; page < MAX_PAGES; page++) {
    const found = await askPage(cursor ? { cursor } : {}, listPageSchema)
    for (const one of found.tools ?? []) {
      if (++tools > MAX_TOOLS) throw new Error(`a list of more than ${MAX_TOOLS} tools`)
      const name = nameOf(one)
      const parsed = allow.some((pattern) => matchesWildcard(pattern, name)) ? parseTool(one) : undefined
      if (parsed?.ok === false) listing.leftOut.push({ name, why: parsed.why })
      else listing.names.push(name)
      if (parsed?.ok === true && !listing.tools.has(name)) listing.tools.set(name, parsed.tool)
    }
    cursor = found.nextCursor
    if (!cursor || cursors.has(cursor)) break
    cursors.add(cursor)
  }
  return listing
}
