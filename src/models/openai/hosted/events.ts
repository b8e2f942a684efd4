import { APIError } from 'openai'
import type { EndedCall, HostedAnswer, HostedEvent } from '../../hosted.ts'
import { errorIn } from '../../errors/body.ts'
import { endedAnswer } from '../errors/ending.ts'
import { fieldsIn, idIn, isSaid, listIn, shownIn, textIn, type Fields } from '../../foreign.ts'
import { turnOf, usageOf } from '../responses.ts'
import { createCallTracker } from '../../hosted/calls.ts'
import { createServerNames } from '../../hosted/server-label.ts'
import { isCallOver } from '../../hosted/outcomes.ts'
import { createToolNames, type KnownServer } from '../../hosted/tool-names.ts'

/** What is told of a call while it is under way: `response.mcp_call_arguments.done`, of some servers `response.mcp_call.arguments.done`, and `response.mcp_call.in_progress`. */
const OF_ARGUMENTS = /^response\.mcp_call[._]arguments[._]/
const OF_CALL = /^response\.mcp_call[._]/
const LAST = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled'])
/** Each has the answer's id; some leave out the first. */
const BEGUN = new Set<unknown>(['response.created', 'response.queued', 'response.in_progress'])
const UNDER_WAY = new Set<unknown>(['queued', 'in_progress'])

export interface Translated {
  servers: readonly KnownServer[]
  model: string
  requestId: string | null
}

/** Translates what is read of one answer. What has no meaning for a run is left out. */
export function createTranslator({ servers, model, requestId }: Translated) {
  const nameOf = createServerNames(servers.map(({ name }) => name))
  const ownName = createToolNames(servers)
  const calls = createCallTracker((label, tool) => ownName({ server: label === '' ? '' : nameOf(label), tool }))
  /** Items that were said to be over. Some servers leave them out of the whole answer. */
  const items: Fields[] = []

  /** What an item says, announced or over. */
  function ofItem(item: Fields, place: unknown, isOver: boolean): HostedEvent | undefined {
    if (item['type'] !== 'mcp_call') return undefined
    if (!isOver) return { kind: 'call', call: calls.added(item, place) }
    const call = calls.done(item, place)
    // Its result may stand in the whole answer.
    return { kind: call.outcome.kind === 'no-result' ? 'call' : 'ended', call }
  }

  function answerOf(response: unknown): HostedAnswer {
    const { output: given, truncation } = fieldsIn(response)
    const isEmpty = !Array.isArray(given) || given.length === 0
    const output = isEmpty ? items : listIn(given)
    const approval = output.find(({ type }) => type === 'mcp_approval_request')
    return {
      calls: output.flatMap((item, place): EndedCall[] => (item['type'] === 'mcp_call' ? [calls.inAnswer(item, place)] : [])),
      listed: [...items, ...(isEmpty ? [] : output)].flatMap(({ type, server_label: label, error }) =>
        type === 'mcp_list_tools' ? [{ server: nameOf(textIn(label) ?? ''), error: isSaid(error) ? shownIn(error) : null }] : [],
      ),
      approvalFor: approval && (textIn(approval['name']) ?? 'a tool without a name'),
      compacted: output.filter(({ type }) => type === 'compaction').length,
      mayLeaveOut: truncation === 'auto',
      turn: () =>
        turnOf(
          Array.isArray(given) || items.length > 0 ? { ...fieldsIn(response), output: withPhases(output) } : response,
          requestId,
          model,
        ),
    }
  }

  /** Of an answer that is not whole: what it used so far. */
  function used(response: unknown): HostedEvent[] {
    const usage = usageOf(fieldsIn(response)['usage'], true)
    return usage ? [{ kind: 'used', usage }] : []
  }

  function started(response: unknown): HostedEvent[] {
    const { id, background, status } = fieldsIn(response)
    const responseId = idIn(id)
    // Only what goes on in the background waits in a queue.
    const isBackground = typeof background === 'boolean' ? background : status === 'queued' ? true : undefined
    return responseId === undefined ? [] : [{ kind: 'started', responseId, background: isBackground }]
  }

  return {
    event(value: unknown): HostedEvent[] {
      const event = fieldsIn(value)
      const { type, output_index: place, item, response } = event
      if (BEGUN.has(type)) return started(response)
      if (typeof type === 'string' && LAST.has(type))
        return [...used(response), { kind: 'answer', answer: answerOf(endedAnswer(type, fieldsIn(response))) }]
      if (type === 'error') throw new APIError(undefined, errorIn(event) ?? {}, undefined, undefined)
      const isOver = type === 'response.output_item.done'
      if (isOver) items.push(fieldsIn(item))
      if (isOver || type === 'response.output_item.added') return listOf(ofItem(fieldsIn(item), place, isOver))
      if (typeof type !== 'string' || !OF_CALL.test(type)) return []
      const at = { itemId: event['item_id'], place }
      const told = OF_ARGUMENTS.test(type) ? calls.arguments({ ...at, part: event['delta'], whole: event['arguments'] }) : calls.state(at)
      return told ? [{ kind: told.isAnnounced ? 'call' : 'spoken', call: told.call }] : []
    },

    /** The answer as it stands: whole, or with what is known of it by now. */
    snapshot(response: unknown): HostedEvent[] {
      const { status, output } = fieldsIn(response)
      if (!UNDER_WAY.has(status)) return [...started(response), ...used(response), { kind: 'answer', answer: answerOf(response) }]
      return [
        ...started(response),
        ...used(response),
        ...listIn(output).flatMap((item, place) => listOf(ofItem(item, place, isCallOver(item)))),
      ]
    },
  }
}

/** What was said before the last call, and not as the answer, was said on the way to it. */
function withPhases(output: readonly Fields[]): Fields[] {
  const last = output.findLastIndex(({ type }) => typeof type === 'string' && type.endsWith('_call'))
  return output.map((item, at) =>
    at < last && item['type'] === 'message' && item['phase'] !== 'final_answer' ? { ...item, phase: 'commentary' } : item,
  )
}

const listOf = (event: HostedEvent | undefined): HostedEvent[] => (event ? [event] : [])
