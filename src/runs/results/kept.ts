// Whole results of a run, for people: what a call gave is often larger than its row shows.
import { Failure } from '../../core/failure.ts'
import type { KeptContent } from '../../core/run.ts'
import type { RunView } from '../../core/view.ts'
import { showLine, sizeText } from '../../lib/text.ts'
import { findContent, findResult, loadContent } from '../../store/contents.ts'
import type { Db } from '../../store/postgres/db.ts'

/** What is kept beside the rows of a run. */
export interface KeptOfRun extends KeptContent {
  mediaType: string
  server: string
  tool: string
  turn: number
}

/** What the results of a run keep, each content once, in the order of its calls. */
export function keptOf({ toolCalls }: Pick<RunView, 'toolCalls'>): KeptOfRun[] {
  const all = toolCalls.flatMap(({ server, tool, turn, result }) =>
    [...(result?.kept ? [{ ...result.kept, mediaType: 'text/plain' }] : []), ...(result?.images ?? [])].map(
      ({ digest, bytes, mediaType }) => ({ digest, bytes, mediaType, server, tool, turn }),
    ),
  )
  return [...new Map(all.toReversed().map((one) => [one.digest, one])).values()].toReversed()
}

export interface WholeResult {
  mediaType: string
  content: Buffer
}

const RESULT_ID = /^t(\d{1,6})c(\d{1,6})$/
const DIGEST = /^[0-9a-f]{8,64}$/

/**
 * A result by the id that its model knows (`t3c1`), or by the beginning of the digest of what is kept: eight digits of it or more. `OUTPUT_MISSING` when the run has none, or it
 * is not kept any more.
 */
export async function readWhole(db: Db, runId: string, given: string): Promise<WholeResult> {
  const [, turn, place] = RESULT_ID.exec(given) ?? []
  const result = turn === undefined ? undefined : await findResult(db, runId, Number(turn), Number(place) - 1)
  const digest = result ? result.kept?.digest : DIGEST.test(given) ? await findContent(db, runId, given) : undefined
  const whole = digest === undefined ? undefined : await loadContent(db, digest)
  if (whole && !whole.intact)
    throw new Failure({
      code: 'OUTPUT_MISSING',
      message: `What is kept of the result ${showLine(given.slice(0, 80))} of run ${runId} is not what its digest says: it was changed in the store.`,
      cure: 'Look for it in a backup of the store; evidence verify --store says what else was changed.',
    })
  if (whole) return whole
  if (result && !result.kept) return { mediaType: 'text/plain', content: Buffer.from(result.text) }
  throw new Failure({
    code: 'OUTPUT_MISSING',
    message: `Run ${runId} has no result ${showLine(given.slice(0, 80))}, or it is not kept any more.`,
    cure: 'Name a result as the model is told it, such as t3c1, or the digest of a kept one; show lists them.',
  })
}

/** Most bytes of results that are put in the place of what their rows show. */
const MOST_BYTES = 16_777_216

/** The run with the whole of each result, as far as it is kept. `COMMAND_INVALID` where they are too many. */
export async function withWholeResults(db: Db, run: RunView): Promise<RunView> {
  const bytes = run.toolCalls.reduce((sum, { result }) => sum + (result?.kept?.bytes ?? 0), 0)
  if (bytes > MOST_BYTES)
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The results of run ${run.id} have ${sizeText(bytes)}: too much for this.`,
      cure: 'Name a run that asked for less.',
    })
  const toolCalls: RunView['toolCalls'] = []
  for (const call of run.toolCalls) {
    const { result } = call
    const whole = result?.kept && (await loadContent(db, result.kept.digest))
    toolCalls.push(result && whole?.intact ? { ...call, result: { ...result, text: whole.content.toString() } } : call)
  }
  return { ...run, toolCalls }
}
