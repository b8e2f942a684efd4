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

/** Reading where a task on a longer text is given to `inThread`, which gives undefined for one that takes too much time or memory. */
export function createAside(inThread: (task: ReadingTask) => Promise<ReadingAnswer | undefined>) {
  const done = async (task: ReadingTask) => (task.text.length <= MAX_AT_ONCE ? read(task) : inThread(task))
  return {
    /** As `lookAt`. What costs too much is a text that says nothing of a rest. */
    lookAside: async (text: string): Promise<Look> =>
      (await done({ kind: 'look', text }))?.look ?? { shape: `text of ${countLines(text)} lines`, rest: null },
    /** As `readPage`. */
    readAside: async (text: string, asked: ReadArguments, resultBytes: number): Promise<Page> =>
      (await done({ kind: 'page', text, asked, resultBytes }))?.page ?? failed(TOO_COSTLY),
    /** As `ungroundedIn` of one result; undefined when it takes too much. */
    ungroundedAside: async (value: unknown, paths: readonly string[], text: string): Promise<Ungrounded[] | undefined> =>
      (await done({ kind: 'ground', text, value, paths }))?.ungrounded,
  }
}

export const { lookAside, readAside, ungroundedAside } = createAside(
  createThread<ReadingTask, ReadingAnswer>({
    // Its extension is that of this file: the package runs JavaScript.
    file: new URL(`thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url).href,
    name: 'read',
    memoryMb: { old: 256, young: 32 },
    limitMs: READING_MS,
  }),
)
