import { AsyncLocalStorage } from 'node:async_hooks'
import type { Asked } from './model.ts'
import { isRefusal, provesNoWork } from './errors/failure.ts'
import { fieldsIn, listIn } from './foreign.ts'

/** The request that is under way: the client sends it again by itself, and says nothing of that. */
const underWay = new AsyncLocalStorage<Asked>()

/** Counts in `asked` what `work` sends and is told. */
export const counting = <T>(asked: Asked, work: () => Promise<T>): Promise<T> => underWay.run(asked, work)

/** Sends a request of the client, and counts it where a model may have been at work on it. */
export async function countPost(send: () => Promise<Response>): Promise<Response> {
  const asked = underWay.getStore()
  try {
    const response = await send()
    if (asked && !isRefusal(response.status)) asked.times++
    return response
  } catch (error) {
    if (asked && !provesNoWork(error)) asked.times++
    throw error
  }
}

/** Of the requests that were sent so far, so many were answered to the end, and what they used is counted elsewhere. */
export function countSeen(times: number): void {
  const asked = underWay.getStore()
  if (asked) asked.times -= times
}

/** Bytes of what a model was seen to say to the request that is under way. */
export const seenSoFar = (): number => underWay.getStore()?.seenBytes ?? 0

/** The events of a stream as they come, with what the model is seen to say counted. */
export async function* seenIn<Event>(events: AsyncIterable<Event>, asked = underWay.getStore()): AsyncGenerator<Event> {
  // oxlint-disable-next-line waits/bounded -- the provider's connections bound its silence, and the signal of the request ends it
  for await (const event of events) {
    if (asked) asked.seenBytes += saidIn(event)
    yield event
  }
}

/** Bytes of what an event adds to the answer: `delta` in both APIs, a text or an object of texts. */
function saidIn(event: unknown): number {
  const { delta, choices } = fieldsIn(event)
  return textsIn(delta) + listIn(choices).reduce((sum, choice) => sum + textsIn(choice['delta']), 0)
}

/** Deeper than any delta nests. */
const MAX_DEPTH = 5

function textsIn(value: unknown, depth = 0): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (typeof value !== 'object' || value === null || depth === MAX_DEPTH) return 0
  return Object.values(value).reduce<number>((sum, one) => sum + textsIn(one, depth + 1), 0)
}
