import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../core/failure.ts'
import type { Deadline } from '../../lib/time/deadline.ts'
import type { HostedAnswer, HostedEvent } from '../../models/hosted.ts'
import type { Asked } from '../../models/model.ts'
import { hostedRequest, type HostedOptions } from './options.ts'
import type { Reader } from './reader.ts'

/** How often in a row a background answer whose stream broke is attached to in vain, and the wait before the second time; each next wait is twice as long. */
const ATTACH_TRIES = 6
const ATTACH_BACKOFF_MS = 400
/** One that was read for so long was not in vain: something between cuts long streams. */
const STEADY_MS = 10_000

/** Reads what `open` gives. The connection ends with the reading; before, when there is an end while nothing came yet. */
async function readOf(
  reader: Reader,
  open: (signal: AbortSignal) => Promise<AsyncIterable<HostedEvent>>,
  own: Deadline,
): Promise<HostedAnswer | undefined> {
  const connection = new AbortController()
  const end = () => connection.abort(own.signal.reason)
  own.signal.addEventListener('abort', end, { once: true })
  if (own.signal.aborted) end()
  try {
    const events = await open(connection.signal)
    own.signal.removeEventListener('abort', end)
    return await reader.read(events, own)
  } finally {
    own.signal.removeEventListener('abort', end)
    connection.abort()
  }
}

/** Reads events until the last one. A background answer whose stream broke is attached to again. */
export async function finalAnswer(
  options: HostedOptions,
  from: { reader: Reader; number: number; attachTo: string | undefined; asked: Asked },
  own: Deadline,
): Promise<HostedAnswer> {
  const { hosted, journal, servers } = options
  const { reader, number, asked } = from
  const names = servers.map(({ name }) => name)
  if (from.attachTo === undefined) {
    await journal.response({ turn: number, background: hosted.background })
    own.signal.throwIfAborted()
    const answer = await readOf(reader, (signal) => hosted.ask(hostedRequest(options, number), signal, asked), own)
    if (answer) return answer
  } else Object.assign(reader, { responseId: from.attachTo, background: true })
  for (let inVain = 0; reader.canAttach() && inVain < ATTACH_TRIES; inVain++) {
    if (inVain > 0) await sleep(ATTACH_BACKOFF_MS * 2 ** (inVain - 1), undefined, { signal: own.signal })
    const began = performance.now()
    // It is told from its beginning.
    asked.seenBytes = 0
    try {
      const answer = await readOf(reader, (signal) => hosted.attach(reader.responseId ?? '', servers, signal, asked), own)
      if (answer) return answer
    } catch (error) {
      if (own.signal.aborted || hosted.classifyError(error, names).kind === 'gone') throw error
    }
    if (performance.now() - began > STEADY_MS) inVain = 0
  }
  throw new Failure({
    code: 'MODEL_UNAVAILABLE',
    message: `The stream of model ${hosted.model} ended without its last event.`,
    requestId: reader.requestId ?? undefined,
  })
}
