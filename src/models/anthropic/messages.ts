import { addUsage, type Usage } from '../../core/run.ts'
import { countSeen, seenIn } from '../asked.ts'
import { brokenAnswer } from '../errors/endings.ts'
import type { Fields } from '../foreign.ts'
import type { Model } from '../model.ts'
import type { Ask } from '../parameters.ts'
import { withOwnIds, type Origin } from '../raw/keep.ts'
import { readAnswer } from '../raw/read.ts'
import { asSent } from './blocks.ts'
import type { MessagesClient } from './client.ts'
import { isPause } from './ending.ts'
import { bodyOf } from './request.ts'
import { createMessageBuilder, wholeMessage, type MessageAnswer } from './stream.ts'
import { turnOf, usageOf } from './turn.ts'

export interface AdapterOptions {
  client: MessagesClient
  /** Who it says that its words are from. */
  from: Origin
  model: string
  ask: Ask
  stream: boolean
  labels: boolean
  /** Most tokens of an answer that the model gives, where that is known. */
  maxTokens: number | undefined
}

/** How often in a row a provider may take a break. */
export const MOST_PAUSES = 20

/** A model behind `/v1/messages`. The whole conversation is sent each time. */
export function createMessagesModel({ client, from, model, ask, stream, labels, maxTokens }: AdapterOptions): Model {
  return {
    async respond(request, signal) {
      const body = bodyOf(request, { model, from, labels, maxTokens })
      const before: Fields[] = []
      let used: Usage | null = null
      /** Breaks of which it is known what was used until then. */
      let known = 0
      for (let pauses = 0; ; pauses++) {
        const asked = { ...continued(body, before), ...(stream && { stream: true }) }
        const send = async (taken: typeof asked): Promise<{ answer: MessageAnswer; requestId: string | null }> => {
          const came = await readAnswer(await client.post(taken, { signal }))
          const whole = came.kind === 'whole' ? wholeMessage(came.answer) : await streamed(seenIn(came.events))
          signal.throwIfAborted()
          if (whole) return { answer: whole, requestId: came.requestId }
          const what = came.kind === 'whole' ? 'answered without content' : 'ended its stream without its last event'
          throw brokenAnswer({ model, requestId: came.requestId }, what)
        }
        const { answer, requestId } = await ask(asked, send, request.settings)
        const answered = { model, requestId }
        if (!isPause(answer.reason)) {
          const turn = turnOf({ ...answer, content: [...before, ...answer.content] }, answered, from)
          // Where it is not, each of its requests counts by itself.
          if (turn.usage) countSeen(known)
          return { ...turn, items: withOwnIds(turn.items, request.exchanges, answered), usage: sum(used, turn.usage) }
        }
        if (pauses === MOST_PAUSES) throw brokenAnswer(answered, `took a break ${MOST_PAUSES} times`)
        before.push(...answer.content)
        const spent = usageOf(answer.usage, true)
        if (!spent) continue
        used = sum(used, spent)
        known++
      }
    },
  }
}

/** What was used by all of them; null where the last one does not say. */
const sum = (before: Usage | null, last: Usage | null): Usage | null => (last && before ? addUsage(before, last) : last)

async function streamed(events: AsyncIterable<unknown>): Promise<MessageAnswer | undefined> {
  const message = createMessageBuilder()
  // oxlint-disable-next-line waits/bounded -- the provider's connections bound its silence, and the signal of the request ends it
  for await (const event of events) message.event(event)
  const whole = message.whole()
  return whole.isOver ? whole : undefined
}

/** The request with what was said before a break, as it came. */
export const continued = <Body extends { messages: readonly object[] }>(body: Body, before: readonly Fields[]): Body =>
  before.length === 0 ? body : { ...body, messages: [...body.messages, { role: 'assistant', content: before.map(asSent) }] }
