import { main } from '../../../src/cli/main.ts'
import type { Environment } from '../../../src/config/environment.ts'
import { aTerminal } from './terminal.ts'

export interface Screen {
  out: () => string
  err: () => string
  /** Resolves once one of the two holds the text; rejects when the command ends without it. */
  says: (what: string) => Promise<void>
  /** Presses Ctrl-C. */
  interrupt: () => void
  ended: Promise<number>
}

/** A command that goes on, in this process, with a person who may answer it. */
export function openScreen(
  args: readonly string[],
  options: { columns?: number; rows?: number; env?: Environment; answer?: (question: string) => string } = {},
): Screen {
  const out: string[] = []
  const err: string[] = []
  const watchers = new Set<() => void>()
  const ending = new AbortController()
  const write = (lines: string[]) => (text: string) => {
    lines.push(text)
    for (const look of watchers) look()
  }
  const { answer, rows } = options
  const terminal = aTerminal({
    out: write(out),
    err: write(err),
    columns: options.columns ?? 200,
    env: options.env ?? {},
    signal: ending.signal,
    draw: rows === undefined ? undefined : (screen) => write(out)(screen(rows)),
    ask: answer && ((question) => Promise.resolve(answer(question))),
  })
  const ended = main(args, terminal)
  const text = () => [...out, ...err].join('\n')
  return {
    out: () => out.join('\n'),
    err: () => err.join('\n'),
    says: (what) =>
      new Promise((done, fail) => {
        const look = () => {
          if (!text().includes(what)) return
          watchers.delete(look)
          done()
        }
        watchers.add(look)
        look()
        void ended.then(() => fail(new Error(`it ended without "${what}": ${text()}`)))
      }),
    interrupt: () => ending.abort('SIGINT'),
    ended,
  }
}
