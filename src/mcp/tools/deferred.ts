import { z } from 'zod'
import type { ModelTool } from '../../core/ports/toolbox.ts'
import {
  CALL_TOOL,
  CALL_TOOL_FAULT,
  DESCRIBE_CALL_TOOL,
  describeFindTools,
  FIND_TOOLS,
  FIND_TOOLS_FAULT,
  foundTools,
} from '../../core/words/tools.ts'
import { nodeAt, sourceOf, treeOf } from '../../lib/json/tree.ts'
import { parseDigits, tryParse } from '../../lib/json/parse.ts'

/** Most tools that a model is shown from the beginning: with more it chooses worse, and pays for them in each turn. */
const MAX_SHOWN = 30
const MAX_FOUND = 10
const MAX_QUERY = 1000

/** The tools of a job that has many. The list that is shown stays the same through the conversation; the others are found and called by two tools of our own. */
export interface OfferedTools {
  /** What the model is given. */
  shown: ModelTool[]
  /** The call that is meant: of a tool that was found, the tool itself. */
  resolve(call: { name: string; arguments: string }): { name: string; arguments: string }
  /** What the model reads when it looks for tools, or names none to call; undefined for a call of another name. */
  answer(name: string, written: string): { ok: true; text: string } | { ok: false; why: string } | undefined
}

const TEXT = { type: 'string' } as const
const querySchema = z.object({ query: z.string().max(MAX_QUERY) })

/** The first tools in the job's order are shown, and the rest only when there are few. */
export function offerTools(tools: readonly ModelTool[]): OfferedTools {
  const isMany = tools.length > MAX_SHOWN
  const hidden = isMany ? tools.slice(MAX_SHOWN) : []
  const own: ModelTool[] = [
    {
      name: FIND_TOOLS,
      description: describeFindTools(hidden.length),
      parameters: { type: 'object', properties: { query: TEXT }, required: ['query'], additionalProperties: false },
    },
    {
      name: CALL_TOOL,
      description: DESCRIBE_CALL_TOOL,
      parameters: {
        type: 'object',
        properties: { tool: TEXT, arguments: { type: 'object' } },
        required: ['tool', 'arguments'],
        additionalProperties: false,
      },
    },
  ]
  return {
    shown: isMany ? [...tools.slice(0, MAX_SHOWN), ...own] : [...tools],
    resolve: (call) => (isMany && call.name === CALL_TOOL ? (readCall(call.arguments) ?? call) : call),
    answer(name, written) {
      if (!isMany || (name !== FIND_TOOLS && name !== CALL_TOOL)) return undefined
      if (name === CALL_TOOL) return { ok: false, why: CALL_TOOL_FAULT }
      const query = readQuery(written)
      if (query === undefined) return { ok: false, why: FIND_TOOLS_FAULT }
      return {
        ok: true,
        text: foundTools(
          bestOf(hidden, query),
          hidden.map((tool) => tool.name),
        ),
      }
    },
  }
}

/** The name, and the arguments as they were written, digit for digit. */
function readCall(written: string): { name: string; arguments: string } | undefined {
  const tree = treeOf(written)
  const name = tree && nodeAt(tree, '/tool')
  if (!tree || name?.type !== 'string') return undefined
  const args = nodeAt(tree, '/arguments')
  return { name: String(name.value), arguments: args ? sourceOf(written, args) : '{}' }
}

function readQuery(written: string): string | undefined {
  return querySchema.safeParse(tryParse(written, parseDigits)).data?.query
}

/** Those that have most of the words, a name before a description; of equals, the job's order. */
function bestOf(tools: readonly ModelTool[], query: string): ModelTool[] {
  const words = [...new Set(query.toLowerCase().split(/[^\p{L}\p{N}]+/u))].filter((word) => word !== '')
  const scored = tools.map((tool) => {
    const name = tool.name.toLowerCase()
    const about = tool.description.toLowerCase()
    return { tool, score: words.reduce((sum, word) => sum + (name.includes(word) ? 3 : about.includes(word) ? 1 : 0), 0) }
  })
  return scored
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, MAX_FOUND)
    .map(({ tool }) => tool)
}
