// Notes that stand after the text of a tool result, never as a message of their own: some providers refuse a user message after a tool's. Each is a function of what the journal
// holds, so that a replay sends the same bytes.
import type { Reason } from '../run.ts'

/** The limit's words without their full stop: they stand inside a sentence. */
const because = ({ message }: Reason) => message.replace(/\.$/, '').replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())

export const lastTurnNote = (reason: Reason): string =>
  `[Nightshift: this is your last answer, because ${because(reason)}. No call will be made. Give the result as asked, with what you have, and say what is missing.]`

/** Several notes stand below each other. */
export function joinNotes(notes: readonly (string | undefined)[]): string | undefined {
  const said = notes.filter((note) => note !== undefined)
  return said.length === 0 ? undefined : said.join('\n')
}

/** Of an attempt that goes on long after the one before it. */
export const staleNote = (passedMs: number): string =>
  `[Nightshift: ${roughTime(passedMs)} passed since the results above; read again what may have changed.]`

const MINUTE_MS = 60_000

function roughTime(ms: number): string {
  const minutes = Math.floor(ms / MINUTE_MS)
  const days = Math.floor(minutes / 1440)
  const hours = Math.floor(minutes / 60) % 24
  if (days > 0) return hours > 0 ? `${days} d ${hours} h` : `${days} d`
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`
}

const count = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`

/** What is left of a run's limits, told at half and at 80 % of what runs out first. */
export function leftNote(left: { turns: number; toolCalls: number; tokens: number | undefined }): string {
  const tokens = left.tokens === undefined ? '' : `, and ${left.tokens} tokens`
  return `[Nightshift: ${count(left.turns, 'answer', 'answers')} and ${count(left.toolCalls, 'call', 'calls')} are left${tokens}.]`
}

/** Of the first result of a tool that says itself that it is not the whole. */
export const restNote = (said: string): string =>
  `[Nightshift: the server says that this is not the whole (${said}). Read the rest where the result depends on it, or say in it that it is a part.]`

export const SAME_RESULT_NOTE = '[Nightshift: the same call gave the same result again; change something, wait, or answer.]'
export const SAME_ERROR_NOTE =
  '[Nightshift: this tool failed in the same way each time; take another way, or say in the result what could not be done.]'
