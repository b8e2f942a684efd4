import type { EndedCall, HostedAnswer, HostedEvent } from '../../hosted.ts'
import { fieldsIn, idIn, listIn, shownIn, textIn, type Fields } from '../foreign.ts'
import { turnOf } from '../responses.ts'
import { createCallTracker } from './calls.ts'
import { serverLabel } from './server-label.ts'
import { createToolNames, type KnownServer } from './tool-names.ts'

/** Gives back the name of a server from its label in this protocol; a label that is none of ours stays. */
export function createServerNames(servers: readonly string[]): (label: string) => string {
  const byLabel = new Map(servers.map((name) => [serverLabel(name), name]))
  return (label) => byLabel.get(label) ?? label
}

/** What is told of a call while it is under way: `response.mcp_call_arguments.done`, of some servers `response.mcp_call.arguments.done`, and `response.mcp_call.in_progress`. */
const OF_ARGUMENTS = /^response\.mcp_call[._]arguments[._]/
const OF_CALL = /^response\.mcp_call[._]/

/** Translates the events of an answer. Events without meaning for a run are left out. */
export async function* hostedEvents(
  events: AsyncIterable<unknown>,
  servers: readonly KnownServer[],
  model: string,
): AsyncIterable<HostedEvent> {
  const translate = createTranslator(servers, model)
  // oxlint-disable-next-line waits/bounded -- whoever gives the stream ends it (hosted/client.ts)
  for await (const event of events) {
    const told = translate(fieldsIn(event))
    if (told) yield told
  }
}

function createTranslator(servers: readonly KnownServer[], model: string) {
  const nameOf = createServerNames(servers.map(({ name }) => name))
  const ownName = createToolNames(servers)
  const calls = createCallTracker((label, tool) => ownName({ server: label === '' ? '' : nameOf(label), tool }))

  /** What an item says, announced or over. */
  function ofItem(item: Fields, place: unknown, isOver: boolean): HostedEvent | undefined {
    if (item['type'] !== 'mcp_call') return undefined
    return isOver ? { kind: 'ended', call: calls.done(item, place) } : { kind: 'call', call: calls.added(item, place) }
  }

  function answerOf(response: unknown): HostedAnswer {
    const output = listIn(fieldsIn(response)['output'])
    const approval = output.find(({ type }) => type === 'mcp_approval_request')
    return {
      calls: output.flatMap((item, place): EndedCall[] => (item['type'] === 'mcp_call' ? [calls.inAnswer(item, place)] : [])),
      listed: output.flatMap(({ type, server_label: label, error }) =>
        type === 'mcp_list_tools' ? [{ server: nameOf(textIn(label) ?? ''), error: error ? shownIn(error) : null }] : [],
      ),
      approvalFor: approval && (textIn(approval['name']) ?? 'a tool without a name'),
      turn: () => turnOf(response, null, model),
    }
  }

  return (event: Fields): HostedEvent | undefined => {
    const { type, output_index: place } = event
    switch (type) {
      case 'response.created': {
        const responseId = idIn(fieldsIn(event['response'])['id'])
        return responseId === undefined ? undefined : { kind: 'started', responseId }
      }
      case 'response.output_item.added':
      case 'response.output_item.done':
        return ofItem(fieldsIn(event['item']), place, type === 'response.output_item.done')
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        return { kind: 'answer', answer: answerOf(event['response']) }
      default: {
        if (typeof type !== 'string' || !OF_CALL.test(type)) return undefined
        const at = { itemId: event['item_id'], place }
        const told = OF_ARGUMENTS.test(type) ? calls.arguments({ ...at, part: event['delta'], whole: event['arguments'] }) : calls.state(at)
        return told && { kind: told.isAnnounced ? 'call' : 'spoken', call: told.call }
      }
    }
  }
}
