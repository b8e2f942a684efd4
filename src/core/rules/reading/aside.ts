// Work on large results. A result of megabytes takes seconds to be parsed where it means harm, so that the event loop leaves it to a thread.
import { createThread } from '../../../lib/threads.ts'
import { TOO_COSTLY } from '../../words/reading.ts'
import type { Ungrounded } from '../evidence/grounding.ts'
import type { Look } from './look.ts'
import { failed, type Page } from './page.ts'
import type { ReadArguments } from './read.ts'
import { countLines } from './shape.ts'
import { read, type ReadingAnswer, type ReadingTask } from './thread.ts'

/** Characters of a text that is read at once: milliseconds. */
const MAX_AT_ONCE = 262_144
/** Longest task: ten times what a table of 16 MB takes. */
const READING_MS = 10_000

const inThread = createThread<ReadingTask, ReadingAnswer>({
  // Its extension is that of this file: the package runs JavaScript.
  file: new URL(`thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url).href,
  name: 'read',
  memoryMb: { old: 256, young: 32 },
  limitMs: READING_MS,
})

/** Undefined when it takes too much time or memory. */
const done = async (task: ReadingTask): Promise<ReadingAnswer | undefined> =>
  task.text.length <= MAX_AT_ONCE ? read(task) : inThread(task)

/** As `lookAt`. What costs too much is a text that says nothing of a rest. */
export async function lookAside(text: string): Promise<Look> {
  return (await done({ kind: 'look', text }))?.look ?? { shape: `text of ${countLines(text)} lines`, rest: null }
}

/** As `readPage`. */
export async function readAside(text: string, asked: ReadArguments, resultBytes: number): Promise<Page> {
  return (await done({ kind: 'page', text, asked, resultBytes }))?.page ?? failed(TOO_COSTLY)
}

/** As `ungroundedIn` of one result; undefined when it takes too much. */
export async function ungroundedAside(value: unknown, paths: readonly string[], text: string): Promise<Ungrounded[] | undefined> {
  return (await done({ kind: 'ground', text, value, paths }))?.ungrounded
}
