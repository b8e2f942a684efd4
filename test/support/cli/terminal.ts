import pc from 'picocolors'
import type { Terminal } from '../../../src/cli/terminal/terminal.ts'

/** A terminal without colors, wide enough for whole lines, for what gives back its text. */
export const aTerminal = (given: Partial<Terminal> = {}): Terminal => ({
  out: () => {},
  err: () => {},
  colors: pc.createColors(false),
  isTerminal: false,
  columns: 200,
  env: {},
  signal: new AbortController().signal,
  draw: undefined,
  ask: undefined,
  ...given,
})
