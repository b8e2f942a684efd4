import { addUsage, type Usage } from '../../../core/run.ts'
import type { EndedCall, HostedAnswer, HostedEvent } from '../../hosted.ts'
import { fieldsIn, idIn, listIn, textIn, type Fields } from '../../foreign.ts'
import { createCallTracker } from '../../hosted/calls.ts'
import { createServerNames } from '../../hosted/server-label.ts'
import { createToolNames, type KnownServer } from '../../hosted/tool-names.ts'
import { isPause } from '../ending.ts'
import { createMessageBuilder, type MessageAnswer } from '../stream.ts'
import { turnOf, usageOf } from '../turn.ts'
import { resultFields } from './outcome.ts'
import { createPairs } from './pairs.ts'

export interface Translated {
  servers: readonly KnownServer[]
  model: string
  requestId: string | null
}

const CALL = 'mcp_tool_use'
const RESULT = 'mcp_tool_result'
const LISTING = 'mcp_tool_listing'

/** Translates what is read of one answer, which may come in several messages. What has no meaning for a run is left out. */
export function createTranslator({ servers, model, requestId }: Translated) {
  const nameOf = createServerNames(servers.map(({ name }) => name))
  const ownName = createToolNames(servers)
  const calls = createCallTracker((label, tool) => ownName({ server: label === '' ? '' : nameOf(label), tool }))
  /** Blocks of messages that ended with a break, and what they used. */
  const before: Fields[] = []
  let usedBefore: Usage | null = null
  /** One of them does not say. */
  let isUnknown = false
  let message = createMessageBuilder()
  /** Places of blocks of the message that are over. */
  const over = new Set<unknown>()
  /** Ids of calls of the message, by the places of their blocks. */
  const ids = new Map<unknown, string | undefined>()
  /** Blocks that began without a place: what goes on without one is of the last of them. */
  let placeless = 0
  const pairs = createPairs()
  let isFirst = true

  const keyOf = (index: unknown): unknown => index ?? `the ${placeless}th without a place`
  const placeOf = (index: unknown): number | undefined => (typeof index === 'number' ? before.length + index : undefined)
  const itemOf = ({ server_name: label, name, input }: Fields, id: string | undefined): Fields => ({
    id,
    server_label: label,
    name,
    arguments: input,
  })

  /** What the answer used so far. */
  function used(): HostedEvent[] {
    const usage = isUnknown ? null : usageOf(message.usage(), true)
    return usage ? [{ kind: 'used', usage: usedBefore ? addUsage(usedBefore, usage) : usage }] : []
  }

  function begun(value: unknown): HostedEvent[] {
    const responseId = idIn(fieldsIn(value)['id'])
    if (!isFirst || responseId === undefined) return []
    isFirst = false
    return [{ kind: 'started', responseId, background: false }]
  }

  /** A block is whole: a call is made now, or has its result. */
  function ended(index: unknown): HostedEvent[] {
    // A block ends once, however often that is said: each time costs as much as it is large.
    const key = keyOf(index)
    if (over.has(key)) return []
    over.add(key)
    const block = message.blockAt(index)
    if (block?.['type'] === CALL) {
      const told = calls.arguments({ itemId: ids.get(key), place: placeOf(index), part: undefined, whole: block['input'] ?? {} })
      return told ? [{ kind: 'call', call: told.call }] : []
    }
    if (block?.['type'] !== RESULT) return []
    const pair = pairs.result(block['tool_use_id'])
    if (pair === 'again') return []
    if (pair !== 'none') return [{ kind: 'ended', call: calls.done({ id: pair?.of, ...resultFields(block) }, undefined) }]
    // Something ran, and nobody said what: it is the end of no call that is known.
    const id = idIn(block['tool_use_id']) ?? 'a result without a call'
    calls.added({ id }, undefined)
    return [{ kind: 'ended', call: calls.done({ id, status: 'incomplete' }, undefined) }]
  }

  function answerOf(answer: MessageAnswer): HostedAnswer {
    const content = [...before, ...answer.content]
    const outcomes = outcomesIn(content)
    const listedBy = (block: Fields): unknown => (block['type'] === LISTING ? block['mcp_server_name'] : block['type'] === CALL ? block['server_name'] : undefined) // prettier-ignore
    return {
      calls: content.flatMap((block, place): EndedCall[] =>
        block['type'] === CALL
          ? [calls.inAnswer({ ...itemOf(block, outcomes.get(block)?.id), ...outcomes.get(block)?.fields }, place)]
          : [],
      ),
      // A server that cannot be listed ends the request with an error.
      listed: content.flatMap((block) => {
        const label = textIn(listedBy(block))
        return label === undefined ? [] : [{ server: nameOf(label), error: null }]
      }),
      approvalFor: undefined,
      turn: () => {
        const turn = turnOf({ ...answer, content: withPhases(content) }, { model, requestId })
        if (isUnknown) return { ...turn, usage: null }
        return { ...turn, usage: usedBefore && turn.usage ? addUsage(usedBefore, turn.usage) : turn.usage }
      },
    }
  }

  return {
    event(value: unknown): HostedEvent[] {
      const event = fieldsIn(value)
      const { type, index } = event
      message.event(event)
      if (type === 'message_start') return [...begun(event['message']), ...used()]
      if (type === 'message_delta') return used()
      if (type === 'content_block_stop') return ended(index)
      if (type !== 'content_block_start') return []
      if (index === undefined || index === null) placeless++
      const block = fieldsIn(event['content_block'])
      if (block['type'] !== CALL) return []
      const id = pairs.call(block['id'])
      ids.set(keyOf(index), id)
      return [{ kind: 'spoken', call: calls.added(itemOf({ ...block, input: undefined }, id), placeOf(index)) }]
    },

    /** The message is whole and ended with a break: what was said by then, which goes back as it came. The next message goes on from there. */
    goOn(): readonly Fields[] | undefined {
      const { isOver, reason, content, usage } = message.whole()
      if (!isOver || !isPause(reason)) return undefined
      const spent = usageOf(usage, true)
      if (!spent) isUnknown = true
      else usedBefore = usedBefore ? addUsage(usedBefore, spent) : spent
      before.push(...content)
      message = createMessageBuilder()
      over.clear()
      ids.clear()
      return before
    },

    /** The last event, once the message is whole. */
    end(): HostedEvent[] {
      const whole = message.whole()
      return whole.isOver ? [{ kind: 'answer', answer: answerOf(whole) }] : []
    },
  }
}

/** What the content says of the end of each of its calls: a result is of one call. */
function outcomesIn(content: readonly Fields[]): Map<Fields, { id: string | undefined; fields: Fields }> {
  const pairs = createPairs()
  const own = new Map(content.flatMap((block) => (block['type'] === CALL ? [[block, pairs.call(block['id'])] as const] : [])))
  const results = content.filter(({ type }) => type === RESULT)
  const told = new Map<string, Fields>()
  const nameless: Fields[] = []
  for (const result of results) {
    const pair = pairs.result(result['tool_use_id'])
    if (pair === undefined) nameless.push(result)
    else if (typeof pair === 'object') told.set(pair.of, result)
  }
  return new Map(
    [...own].map(([block, id]) => {
      const result = id === undefined ? nameless.shift() : told.get(id)
      return [block, { id, fields: result ? resultFields(result) : {} }]
    }),
  )
}

/** The events that a message as a whole stands for. */
export function eventsOfMessage(answer: unknown): Fields[] {
  const { content, stop_reason: reason, stop_details: details, usage, ...rest } = fieldsIn(answer)
  return [
    { type: 'message_start', message: { ...rest, usage } },
    ...listIn(content).flatMap((block, index): Fields[] => [
      { type: 'content_block_start', index, content_block: block },
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta: { stop_reason: reason, stop_details: details } },
    { type: 'message_stop' },
  ]
}

/** What was said before the last call was said on the way to it. */
function withPhases(content: readonly Fields[]): Fields[] {
  const last = content.findLastIndex(({ type }) => type === CALL)
  return content.map((block, at) => (at < last && block['type'] === 'text' ? { ...block, phase: 'commentary' } : block))
}
