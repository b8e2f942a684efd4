// @ts-nocheck
import { z } from 'zod'
import { digestOf } from '../lib/digest.ts'

const toolSchema = z.looseObject({
  name: z.string().min(1).max(1024),
  title: z.string().optional(),
  description: z.string().optional(),
  inputSchema: z.record(z.string(), z.unknown()),
  outputSchema: z.unknown().optional(),
  annotations: z.unknown().optional(),
  execution: z.looseObject({ taskSupport: z.string().optional() }).optional().catch(undefined),
})

/** A page of `tools/list`, without judging the single tools. */
const listPageSchema = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().optional() })

export interface ListedTool {
  name: string
  description: string
  inputSchema: Record<string, unknown>
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
  let cursor: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const found = await askPage(cursor === undefined ? {} : { cursor }, listPageSchema)
    for (const parsed of found.tools.map(parseTool)) {
      if (!parsed.ok) listing.leftOut.push({ name: parsed.name, why: parsed.why })
      else if (!listing.tools.has(parsed.tool.name)) listing.tools.set(parsed.tool.name, parsed.tool)
    }
    cursor = found.nextCursor
    if (cursor === undefined || cursors.has(cursor)) break
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
  const text = JSON.stringify(listed)
  let parsed = known.get(text)
  if (!parsed) {
    parsed = readTool(listed)
    if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value ?? '')
    known.set(text, parsed)
  }
  return parsed
}

function readTool(listed: unknown): ParsedTool {
  const parsed = toolSchema.safeParse(listed)
  if (!parsed.success)
    return { ok: false, name: nameOf(listed), why: `its definition is broken: ${z.prettifyError(parsed.error).split('\n')[0] ?? ''}` }
  const { name, title, description, inputSchema, outputSchema, annotations, execution } = parsed.data
  if (execution?.taskSupport === 'required') return { ok: false, name, why: 'it works only as a task' }
  const { $schema, ...schema } = inputSchema
  const definition = { name, title, description, inputSchema, outputSchema, annotations }
  if (schema['type'] !== undefined && schema['type'] !== 'object') return { ok: false, name, why: 'its input is not an object' }
  if (['oneOf', 'anyOf', 'allOf'].some((key) => key in schema))
    return { ok: false, name, why: 'its input schema has oneOf, anyOf or allOf at the root, which providers refuse' }
  return {
    ok: true,
    tool: {
      name,
      description: description ?? title ?? '',
      inputSchema: { ...schema, type: 'object', properties: schema['properties'] ?? {}, ...($schema !== undefined && { $schema }) },
      definition,
      digest: () => digestOf(definition),
    },
  }
}

function nameOf(listed: unknown): string {
  const name: unknown = typeof listed === 'object' && listed !== null ? Reflect.get(listed, 'name') : undefined
  return typeof name === 'string' ? name : '(without a name)'
}
