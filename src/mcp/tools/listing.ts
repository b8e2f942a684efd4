import { z } from 'zod'
import { digestOf } from '../../lib/digest.ts'
import { describeTool } from '../../core/words/tools.ts'
import { offerInput, type OfferedInput } from './input-schema.ts'
import { isSchema, shapeOf } from '../../lib/schema/shape.ts'

const words = z.string().nullish().catch(undefined)
const schema = z.record(z.string(), z.unknown())
const toolSchema = z.looseObject({
  name: z.string().min(1).max(1024),
  title: words,
  description: words,
  inputSchema: schema.nullish(),
  outputSchema: z.unknown().optional(),
  annotations: z.unknown().optional(),
  execution: z.looseObject({ taskSupport: z.string().nullish() }).nullish().catch(undefined),
  _meta: z.unknown().optional(),
})

/** A page of `tools/list`, without judging the single tools. */
const listPageSchema = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().nullish() })

export interface ListedTool {
  name: string
  /** What the model is told of it: title, description, and a short form of what it returns. */
  description: string
  input: OfferedInput
  /** Its structured content is for a page beside the conversation, not for the model (MCP Apps). */
  hasOwnPage: boolean
  /** What the server says of it: name, title, description, schemas and annotations. */
  definition: Record<string, unknown>
  /** Of the definition as canonical JSON: changes when what the model is told changes. */
  digest: () => string
}

export interface ToolListing {
  tools: Map<string, ListedTool>
  /** Tools that were left out, each with its reason. */
  leftOut: { name: string; why: string }[]
}

const MAX_PAGES = 50

/** Reads a server's list over its pages: until there is no cursor, one comes again, or there were 50. */
export async function listAllTools(
  askPage: (params: Record<string, unknown>, schema: typeof listPageSchema) => Promise<z.output<typeof listPageSchema>>,
): Promise<ToolListing> {
  const listing: ToolListing = { tools: new Map(), leftOut: [] }
  const cursors = new Set<string>()
  let cursor: string | null | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const found = await askPage(cursor ? { cursor } : {}, listPageSchema)
    for (const parsed of found.tools.map(parseTool)) {
      if (!parsed.ok) listing.leftOut.push({ name: parsed.name, why: parsed.why })
      else if (!listing.tools.has(parsed.tool.name)) listing.tools.set(parsed.tool.name, parsed.tool)
    }
    cursor = found.nextCursor
    if (!cursor || cursors.has(cursor)) break
    cursors.add(cursor)
  }
  return listing
}

export type ParsedTool = { ok: true; tool: ListedTool } | { ok: false; name: string; why: string }

const MAX_KNOWN = 1000
const known = new Map<string, ParsedTool>()

/**
 * Reads one listed tool. What cannot be offered to a model is left out with its reason; the others stay. A tool that was listed before is the same object,
 * so that many runs hold it once.
 */
export function parseTool(listed: unknown): ParsedTool {
  try {
    const text = JSON.stringify(listed)
    let parsed = known.get(text)
    if (!parsed) {
      parsed = readTool(listed)
      if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value ?? '')
      known.set(text, parsed)
    }
    return parsed
  } catch {
    // A stack overflow, since reading is recursive: the schema is nested too deep.
    return { ok: false, name: nameOf(listed), why: 'its definition is nested too deep' }
  }
}

function readTool(listed: unknown): ParsedTool {
  const parsed = toolSchema.safeParse(listed)
  if (!parsed.success)
    return { ok: false, name: nameOf(listed), why: `its definition is broken: ${z.prettifyError(parsed.error).split('\n')[0] ?? ''}` }
  const { name, inputSchema, outputSchema, annotations, execution, _meta } = parsed.data
  if (execution?.taskSupport === 'required') return { ok: false, name, why: 'it works only as a task' }
  const input = offerInput(inputSchema)
  if (!input) return { ok: false, name, why: 'its input is not an object' }
  const title = parsed.data.title ?? undefined
  const description = parsed.data.description ?? undefined
  const definition = { name, title, description, inputSchema, outputSchema, annotations }
  const hasOwnPage = namesPage(_meta)
  const returns = isSchema(outputSchema) && !hasOwnPage ? shapeOf(outputSchema, outputSchema) : undefined
  return {
    ok: true,
    tool: {
      name,
      description: describeTool({ title, description, returns }),
      input,
      hasOwnPage,
      definition,
      digest: () => digestOf(definition),
    },
  }
}

/** A page of an MCP App, as its specification and the one before it name it. */
const namesPage = (meta: unknown): boolean =>
  isSchema(meta) &&
  (typeof meta['ui/resourceUri'] === 'string' ||
    typeof meta['openai/outputTemplate'] === 'string' ||
    (isSchema(meta['ui']) && typeof meta['ui']['resourceUri'] === 'string'))

function nameOf(listed: unknown): string {
  const name: unknown = typeof listed === 'object' && listed !== null ? Reflect.get(listed, 'name') : undefined
  return typeof name === 'string' ? name : '(without a name)'
}
