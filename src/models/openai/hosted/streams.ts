import { setTimeout as sleep } from 'node:timers/promises'
import { APIError, type OpenAI } from 'openai'
import { parseBounded } from '../../../lib/json/bounded.ts'
import type { HostedEvent } from '../../hosted.ts'
import type { Asked } from '../../model.ts'
import { seenIn } from '../../asked.ts'
import { errorIn } from '../../errors/body.ts'
import { fieldsIn } from '../../foreign.ts'
import { readAnswer } from '../../raw/read.ts'
import { createTranslator, type Translated } from './events.ts'

/** Between two questions for an answer that is not streamed; each wait is longer than the last one, up to a bound. */
const POLL_MS = 1000
const POLL_GROWTH = 1.5
const MAX_POLL_MS = 15_000

type About = Omit<Translated, 'requestId'>

/** The type of what is one JSON value. */
export const isWhole = (response: Response) => /\bjson\b/i.test(response.headers.get('content-type') ?? '')

/** An answer in JSON. One that failed may have made calls, so it is read whole; what is no answer is an error. */
async function wholeIn(response: Response): Promise<unknown> {
  const answer = parseBounded(await response.text())
  const { status, output } = fieldsIn(answer)
  if (status === undefined && output === undefined) throw new APIError(undefined, errorIn(answer) ?? {}, undefined, response.headers)
  return answer
}

/** What an answer tells, however it comes: as events, or as it stands. */
export async function* eventsOf(
  client: OpenAI,
  response: Response,
  about: About,
  { asked, isLimited = true }: { asked?: Asked | undefined; isLimited?: boolean } = {},
): AsyncGenerator<HostedEvent> {
  const requestId = response.headers.get('x-request-id')
  const translate = createTranslator({ ...about, requestId })
  yield { kind: 'opened', requestId, isLimited }
  if (isWhole(response)) yield* translate.snapshot(await wholeIn(response))
  else {
    const came = await readAnswer(response)
    if (came.kind === 'whole') yield* translate.snapshot(came.answer)
    // oxlint-disable-next-line waits/bounded -- the signal of the request ends it, and the provider's connections bound its silence
    else for await (const event of seenIn(came.events, asked)) yield* translate.event(event)
  }
}

/** Asks for an answer until it is over, as its provider does not stream it. `first` is what it said already. */
export async function* polledEvents(
  ask: () => Promise<Response>,
  about: About,
  { first, signal }: { first: Response | undefined; signal: AbortSignal },
): AsyncGenerator<HostedEvent> {
  let response = first ?? (await ask())
  const translate = createTranslator({ ...about, requestId: response.headers.get('x-request-id') })
  for (let waitMs = POLL_MS; ; waitMs = Math.min(waitMs * POLL_GROWTH, MAX_POLL_MS)) {
    yield { kind: 'opened', requestId: response.headers.get('x-request-id'), isLimited: true }
    const told = translate.snapshot(await wholeIn(response))
    yield* told
    if (told.some(({ kind }) => kind === 'answer')) return
    await sleep(waitMs, undefined, { signal })
    response = await ask()
  }
}
