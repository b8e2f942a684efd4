import { createInterface } from 'node:readline/promises'
import pc from 'picocolors'
import { showLine } from '../../lib/text.ts'
import type { Environment } from '../../config/environment.ts'

/** Where a command writes, and what may end it early. */
export interface Terminal {
  out: (text: string) => void
  err: (text: string) => void
  colors: ReturnType<typeof pc.createColors>
  /** Width in characters; wide where it is not a terminal, so that no text is cut in a pipe. */
  columns: number
  env: Environment
  /** Aborted by Ctrl-C and SIGTERM. */
  signal: AbortSignal
  /** Asks the person at the terminal; undefined when there is none. */
  ask: ((question: string) => Promise<string>) | undefined
}

/** The width when output is not a terminal. */
export const PIPE_COLUMNS = 200

export function createTerminal(options: {
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  env: Environment
  signal: AbortSignal
}): Terminal {
  const { stdin, stdout, stderr, env, signal } = options
  const noColor = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== ''
  // In a pipe isTTY is undefined, whatever its type says, and undefined has the library decide for itself: from CI, for one.
  const colored = stdout.isTTY ? !noColor && env['TERM'] !== 'dumb' : false
  return {
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
    colors: pc.createColors(colored),
    columns: stdout.isTTY ? stdout.columns : PIPE_COLUMNS,
    env,
    signal,
    ask: stdin.isTTY && stdout.isTTY ? (question) => ask(stdin, stdout, question, signal) : undefined,
  }
}

async function ask(input: NodeJS.ReadStream, output: NodeJS.WriteStream, question: string, signal: AbortSignal): Promise<string> {
  const reader = createInterface({ input, output })
  try {
    return await reader.question(question, { signal })
  } finally {
    reader.close()
  }
}

/** Foreign text on one line, cut to a width. */
export function fit(text: string, width: number): string {
  const line = showLine(text)
  return line.length <= width ? line : `${line.slice(0, Math.max(width - 1, 0))}…`
}

/** A text in lines of at most so many characters, broken between words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
