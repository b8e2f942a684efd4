import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../core/failure.ts'
import type { Deadline } from '../../lib/time/deadline.ts'
import type { HostedAnswer } from '../../models/hosted.ts'
import { hostedRequest, type HostedOptions } from './options.ts'
import type { Reader } from './reader.ts'

/** How often a background answer whose stream broke is attached to, and the wait before the second time; each next wait is twice as long. */
const ATTACH_TRIES = 6
const ATTACH_BACKOFF_MS = 400

/** Reads events until the last one. A background answer whose stream broke is attached to again. */
export async function finalAnswer(
  options: HostedOptions,
  from: { reader: Reader; number: number; attachTo: string | undefined },
  own: Deadline,
): Promise<HostedAnswer> {
  const { hosted, journal, servers } = options
  const { reader, number } = from
  const names = servers.map(({ name }) => name)
  reader.responseId = from.attachTo
  if (from.attachTo === undefined) {
    await journal.response({ turn: number, background: hosted.background })
    own.signal.throwIfAborted()
    const answer = await reader.read(await hosted.ask(hostedRequest(options), own.signal), own)
    if (answer) return answer
  }
  for (let attempt = 0; hosted.background && reader.responseId !== undefined && attempt < ATTACH_TRIES; attempt++) {
    if (attempt > 0) await sleep(ATTACH_BACKOFF_MS * 2 ** (attempt - 1), undefined, { signal: own.signal })
    try {
      const answer = await reader.read(await hosted.attach(reader.responseId, servers, own.signal), own)
      if (answer) return answer
    } catch (error) {
      if (own.signal.aborted || hosted.classifyError(error, names).kind === 'gone') throw error
    }
  }
  throw new Failure({ code: 'MODEL_UNAVAILABLE', message: `The stream of model ${hosted.model} ended without its last event.` })
}
