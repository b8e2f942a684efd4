import { createInterface } from 'node:readline/promises'
import pc from 'picocolors'
import wrapAnsi from 'wrap-ansi'
import { showLine } from '../../lib/text.ts'
import type { Environment } from '../../config/environment.ts'

/** Where a command writes, and what may end it early. */
export interface Terminal {
  out: (text: string) => void
  err: (text: string) => void
  colors: ReturnType<typeof pc.createColors>
  /** Somebody reads it as it comes. */
  isTerminal: boolean
  /** Width in characters; wide where it is not a terminal, so that no text is cut in a pipe. */
  columns: number
  env: Environment
  /** Aborted by Ctrl-C and SIGTERM. */
  signal: AbortSignal
  /** Draws a screen in the place of the one before, made for so many rows; undefined where there is none to draw on. */
  draw: ((screen: (rows: number) => string) => void) | undefined
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
    isTerminal: stdout.isTTY,
    columns: stdout.isTTY ? stdout.columns : PIPE_COLUMNS,
    env,
    signal,
    draw: stdout.isTTY && env['TERM'] !== 'dumb' ? createDraw(stdout) : undefined,
    ask: stdin.isTTY && stdout.isTTY ? (question) => ask(stdin, stdout, question, signal) : undefined,
  }
}

const [CLEAR, HOME, END_OF_LINE, BELOW] = ['\u001b[2J', '\u001b[H', '\u001b[K', '\u001b[J']
/** A line that is longer than the screen is cut by the terminal, and later ones are not. */
const [CUT, WRAP] = ['\u001b[?7l', '\u001b[?7h']

/** What is longer or wider than the screen is left out: the rest would move everything up at each look. */
function createDraw(stdout: NodeJS.WriteStream): NonNullable<Terminal['draw']> {
  let isFirst = true
  return (screen) => {
    const lines = screen(stdout.rows)
      .split('\n')
      .slice(0, Math.max(stdout.rows - 1, 1))
    stdout.write(`${isFirst ? CLEAR : ''}${HOME}${CUT}${lines.map((line) => `${line}${END_OF_LINE}\n`).join('')}${WRAP}${BELOW}`)
    isFirst = false
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

const NARROW = /^[\u0020-\u007e]*$/
/** Of a character as a person sees it, such as a family of four: what is looked at of a long text is bounded. */
const MAX_UNITS = 32

/** Foreign text on one line, cut to a width: that of the screen, where many characters take two places, and never within one. */
export function fit(text: string, width: number): string {
  // Composed, as the library returns it.
  const line = showLine(text).normalize()
  if (NARROW.test(line)) return line.length <= width ? line : `${line.slice(0, Math.max(width - 1, 0))}…`
  const near = line.slice(0, Math.max(width, 1) * MAX_UNITS)
  if (near.length === line.length && firstOf(line, width) === line) return line
  return width < 2 ? '…' : `${firstOf(near, width - 1)}…`
}

/** What of a text fits into a width. */
const firstOf = (line: string, width: number) =>
  wrapAnsi(line, Math.max(width, 1), { hard: true, wordWrap: false, trim: false }).split('\n', 1)[0] ?? ''

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

/** Lines for a person, each broken between words at the width of the screen, with what goes on a little further in. What goes into a pipe keeps its lines. */
export function fold(text: string, { columns }: Pick<Terminal, 'columns'>, indent = 4): string {
  if (columns >= PIPE_COLUMNS) return text
  const broken = (line: string) => wrap(line, columns - indent).join(`\n${' '.repeat(indent)}`)
  return text
    .split('\n')
    .map((line) => (line.length <= columns ? line : broken(line)))
    .join('\n')
}
