import { isObject } from '../../lib/json/object.ts'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { describeTool } from '../../core/words/tools.ts'
import { digestOf } from '../../lib/hash/digest.ts'
import { shapeOf } from '../../lib/schema/shape.ts'
import { offerInput, type OfferedInput } from './input-schema.ts'

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

/** Most characters of a definition: the model reads it in each request. */
const MAX_DEFINITION = 262_144

export type ParsedTool = { ok: true; tool: ListedTool } | { ok: false; name: string; why: string }

/** Definitions that were read, by their text. Bounded by what they weigh. */
const known = new LRUCache<string, ParsedTool>({ maxSize: 16_777_216, sizeCalculation: (_, text) => text.length })

/**
 * Reads one listed tool. What cannot be offered to a model is left out with its reason; the others stay. A tool that was listed before is the same object,
 * so that many runs hold it once.
 */
export function parseTool(listed: unknown): ParsedTool {
  const name = nameOf(listed)
  try {
    const text = JSON.stringify(listed)
    if (text.length > MAX_DEFINITION)
      return { ok: false, name, why: `its definition has more than ${MAX_DEFINITION} characters, the most that a model is given` }
    let parsed = known.get(text)
    if (!parsed) {
      parsed = readTool(listed)
      known.set(text, parsed)
    }
    return parsed
  } catch {
    // A stack overflow, since reading is recursive: the schema is nested too deep.
    return { ok: false, name, why: 'its definition is nested too deep' }
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
  const returns = isObject(outputSchema) && !hasOwnPage ? shapeOf(outputSchema, outputSchema) : undefined
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
  isObject(meta) &&
  (typeof meta['ui/resourceUri'] === 'string' ||
    typeof meta['openai/outputTemplate'] === 'string' ||
    (isObject(meta['ui']) && typeof meta['ui']['resourceUri'] === 'string'))

/** Its name, whatever else it is. */
export function nameOf(listed: unknown): string {
  const name: unknown = typeof listed === 'object' && listed !== null ? Reflect.get(listed, 'name') : undefined
  return typeof name === 'string' ? name : '(without a name)'
}
