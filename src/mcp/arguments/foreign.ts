import { isObject } from '../../lib/json/object.ts'
import { LRUCache } from 'lru-cache'
import { createThread } from '../../lib/threads.ts'
import { patternSize } from '../../lib/schema/pattern-size.ts'
import type { Schema } from '../../lib/schema/shape.ts'
import type { OfferedInput } from '../tools/input-schema.ts'
import { parseKept } from '../../lib/json/parse.ts'
import { readArguments, type ReadArguments } from './read.ts'
import type { ThreadAnswer, ThreadTask } from './thread.ts'

// A schema of a few kilobytes can keep a check busy for hours. What a server sent is compiled and checked in a thread that is ended when it takes too long, unless it is
// plainly cheap; the loop, on which heartbeats, deadlines and other runs depend, never waits for it.

/** Longest check. Then the arguments go to the server as they are: it checks its own. */
const CHECK_MS = 3000
const THREAD_MB = { old: 64, young: 8 }

/** Of a schema and arguments that are checked at once: a check costs no more than their product. */
const MAX_CHEAP_PARTS = 300
const MAX_CHEAP_TEXT = 16_384
const COSTLY = ['$ref', '$dynamicRef', '$id', 'pattern', 'patternProperties']
/** Steps of all patterns of a schema together. */
const MAX_PATTERNS = 10_000
const CHEAP_FORMATS = ['date', 'date-time', 'time', 'uuid']

/** Its extension is that of this file: the package runs JavaScript. */
const THREAD = new URL(`thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url).href

/** Undefined when it takes too much time or memory. */
const readInThread = createThread<ThreadTask, ThreadAnswer>({ file: THREAD, name: 'readTask', memoryMb: THREAD_MB, limitMs: CHECK_MS })
/** Schemas whose check took too long once. */
const tooCostly = new LRUCache<string, true>({ maxSize: 1_048_576, sizeCalculation: (_, key) => key.length })

export interface CheckedTool {
  name: string
  input: OfferedInput
  digest: () => string
}

/** As `readArguments`, for a tool of a server. `unchecked` when its schema costs too much, and the arguments are only known to be a JSON object. */
export async function readForeignArguments(
  tool: CheckedTool,
  text: string,
  again: boolean,
): Promise<{ read: ReadArguments; unchecked: boolean }> {
  const { name, input } = tool
  if (text.length <= MAX_CHEAP_TEXT && isCheap(input.schema)) return { read: readArguments({ name, input }, text, again), unchecked: false }
  const answer =
    tooCostly.has(tool.digest()) || hasHugePatterns(input.schema) ? undefined : await readInThread({ tool: { name, input }, text, again })
  if (!answer) {
    tooCostly.set(tool.digest(), true)
    return { read: readArguments({ name, input: { ...input, schema: {} } }, text, again), unchecked: true }
  }
  if (!answer.ok) return { read: answer, unchecked: false }
  return { read: { ok: true, arguments: { json: answer.json, value: parseKept(answer.json) } }, unchecked: false }
}

/** Compiling them alone would take the thread's time and memory; what an engine does then, up to ending the process, is not for a server to choose. */
function hasHugePatterns(schema: Schema): boolean {
  let size = 0
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || size > MAX_PATTERNS) return
    if (isObject(value)) {
      if (typeof value['pattern'] === 'string') size += patternSize(value['pattern'])
      if (isObject(value['patternProperties'])) for (const pattern of Object.keys(value['patternProperties'])) size += patternSize(pattern)
    }
    Object.values(value).forEach(look)
  }
  look(schema)
  return size > MAX_PATTERNS
}

/** Few parts, without references, patterns and comparisons of each with each. */
function isCheap(schema: Schema): boolean {
  let parts = 0
  const look = (value: unknown): boolean => {
    if (++parts > MAX_CHEAP_PARTS) return false
    if (Array.isArray(value)) return value.every(look)
    if (!isObject(value)) return true
    const { format } = value
    if (COSTLY.some((key) => key in value) || (typeof format === 'string' && !CHEAP_FORMATS.includes(format))) return false
    return Object.values(value).every(look)
  }
  return look(schema)
}
