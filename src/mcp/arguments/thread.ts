import type { OfferedInput } from '../tools/input-schema.ts'
import { readArguments } from './read.ts'

export interface ThreadTask {
  tool: { name: string; input: OfferedInput }
  text: string
  again: boolean
}

/** Arguments as JSON text: what stands for exact numbers in the journal does not leave a thread. */
export type ThreadAnswer = { ok: true; json: string } | { ok: false; why: string }

/** Runs in a thread of its own. Without a task it says that the thread is there. */
export function readTask(task: ThreadTask | undefined): ThreadAnswer | undefined {
  if (!task) return undefined
  const read = readArguments(task.tool, task.text, task.again)
  return read.ok ? { ok: true, json: read.arguments.json } : read
}
