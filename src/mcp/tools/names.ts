import { createHash } from 'node:crypto'

const MAX_LENGTH = 64
const HASH_LENGTH = 8
/** Tools of Nightshift's own begin with it. */
const RESERVED = /^nightshift__/

export interface ToolRef {
  server: string
  tool: string
}

const keyOf = ({ server, tool }: ToolRef) => `${server}\0${tool}`

/**
 * The model's names of the tools of a job: `server__tool` in `[A-Za-z0-9_-]{1,64}`, other characters as `_`. Where two tools would have one name, both end in
 * a hash of their own. The names follow from the set alone, whatever its order, so each attempt of a run has the same.
 */
export function nameTools(tools: readonly ToolRef[]): (tool: ToolRef) => string {
  const byPlain = Map.groupBy(new Map(tools.map((tool) => [keyOf(tool), tool])).values(), plainName)
  const clashing = [...byPlain.values()].filter((same) => same.length > 1).flat()
  // A tool's own name may equal another's name with its hash.
  const taken = new Set(clashing.map(hashedName))
  return (tool) => {
    const plain = plainName(tool)
    return byPlain.get(plain)?.length === 1 && !taken.has(plain) && !RESERVED.test(plain) ? plain : hashedName(tool)
  }
}

const plainName = ({ server, tool }: ToolRef) => `${server}__${tool}`.replaceAll(/[^A-Za-z0-9_-]/gu, '_').slice(0, MAX_LENGTH)

function hashedName(tool: ToolRef): string {
  const hash = createHash('sha256').update(keyOf(tool)).digest('hex').slice(0, HASH_LENGTH)
  return `${plainName(tool).slice(0, MAX_LENGTH - HASH_LENGTH - 1)}_${hash}`
}
