import { ungroundedIn, type Ungrounded } from '../evidence/grounding.ts'
import { lookAt, type Look } from './look.ts'
import type { Page } from './page.ts'
import { readPage, type ReadArguments } from './read.ts'

export type ReadingTask =
  | { kind: 'look'; text: string }
  | { kind: 'page'; text: string; asked: ReadArguments; resultBytes: number }
  | { kind: 'ground'; text: string; value: unknown; paths: readonly string[] }

export interface ReadingAnswer {
  look?: Look
  page?: Page
  ungrounded?: Ungrounded[]
}

/** Does a task, in the thread of `aside.ts` or beside it. Without a task it says that the thread is there. */
export function read(task: ReadingTask | undefined): ReadingAnswer {
  switch (task?.kind) {
    case undefined:
      return {}
    case 'look':
      return { look: lookAt(task.text) }
    case 'page':
      return { page: readPage(task.text, task.asked, task.resultBytes) }
    case 'ground':
      return { ungrounded: ungroundedIn(task.value, task.paths, [task.text]) }
  }
}
