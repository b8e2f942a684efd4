import { isObject } from '../../lib/json/object.ts'
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import { Piscina } from 'piscina'
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
/** Until a thread is there. */
const START_MS = 20_000
/** What a thread may have on its heap; with what it needs beside that, less than twice as much. The young part of it is not counted in the old one, and grows by itself. */
const THREAD_MB = { old: 64, young: 8 }
/** An idle thread ends after this time, and its memory with it. */
const IDLE_MS = 10_000

/** Of a schema and arguments that are checked at once: a check costs no more than their product. */
const MAX_CHEAP_PARTS = 300
const MAX_CHEAP_TEXT = 16_384
const COSTLY = ['$ref', '$dynamicRef', '$id', 'pattern', 'patternProperties', 'uniqueItems']
/** Steps of all patterns of a schema together. */
const MAX_PATTERNS = 10_000
const CHEAP_FORMATS = ['date', 'date-time', 'time', 'uuid']

/** Its extension is that of this file: the package runs JavaScript. */
const THREAD = new URL(`thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url).href

let pool: Piscina<ThreadTask | undefined, ThreadAnswer | undefined> | undefined
const oneByOne = pLimit(1)
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
    tooCostly.has(tool.digest()) || hasHugePatterns(input.schema)
      ? undefined
      : await oneByOne(() => readInThread({ tool: { name, input }, text, again }))
  if (!answer) {
    tooCostly.set(tool.digest(), true)
    return { read: readArguments({ name, input: { ...input, schema: {} } }, text, again), unchecked: true }
  }
  if (!answer.ok) return { read: answer, unchecked: false }
  return { read: { ok: true, arguments: { json: answer.json, value: parseKept(answer.json) } }, unchecked: false }
}

/** Undefined when it takes too much time or memory. */
async function readInThread(task: ThreadTask): Promise<ThreadAnswer | undefined> {
  pool ??= new Piscina({
    filename: THREAD,
    name: 'readTask',
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_MS,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: THREAD_MB.old, maxYoungGenerationSizeMb: THREAD_MB.young },
  })
  try {
    // The start of the thread is no part of the check.
    await pool.run(undefined, { signal: AbortSignal.timeout(START_MS) })
    return await pool.run(task, { signal: AbortSignal.timeout(CHECK_MS) })
  } catch {
    return undefined
  }
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
