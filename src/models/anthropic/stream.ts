import { listIn, fieldsIn, textIn, type Fields } from '../foreign.ts'
import { addPiece } from '../raw/merge.ts'

/** What a message says, however it came. */
export interface MessageAnswer {
  id: unknown
  model: unknown
  content: readonly Fields[]
  /** `stop_reason`; null or undefined where it was not said. */
  reason: unknown
  /** What is said of a refusal. */
  details: unknown
  usage: Fields
}

/** A message that came whole; undefined for what is none. */
export function wholeMessage(answer: unknown): MessageAnswer | undefined {
  const { id, model, content, stop_reason: reason, stop_details: details, usage } = fieldsIn(answer)
  if (!Array.isArray(content) && typeof content !== 'string') return undefined
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : listIn(content)
  return { id, model, content: blocks, reason, details, usage: fieldsIn(usage) }
}

/** What a piece of each kind goes on with. */
const TEXTS: Readonly<Record<string, readonly [field: string, of: string]>> = {
  text_delta: ['text', 'text'],
  thinking_delta: ['thinking', 'thinking'],
  input_json_delta: ['partial_json', 'tool_use'],
  signature_delta: ['signature', 'thinking'],
}

interface Building {
  block: Record<string, unknown>
  texts: Map<string, string>
}

/** Puts the blocks of a streamed message together; servers leave the beginning of a block out, or its `index`. */
export function createMessageBuilder() {
  const blocks = new Map<unknown, Building>()
  const message: Record<string, unknown> = {}
  const usage: Record<string, unknown> = {}
  let last: Building | undefined
  let isOver = false

  function begin(index: unknown, block: Fields): Building {
    const one = { block: { ...block }, texts: new Map<string, string>() }
    blocks.set(index ?? blocks.size, one)
    return (last = one)
  }

  function goOn(index: unknown, delta: Fields): void {
    const { type, ...piece } = delta
    const [field, of] = TEXTS[textIn(type) ?? ''] ?? []
    const one = (index === undefined || index === null ? last : blocks.get(index)) ?? begin(index, { type: of ?? 'text' })
    if (field === undefined) {
      // A citation is one of a list.
      addPiece(one.block, type === 'citations_delta' ? { citations: [piece['citation']] } : piece)
      return
    }
    const more = piece[field]
    if (typeof more === 'string') one.texts.set(field, (one.texts.get(field) ?? '') + more)
  }

  function say(of: Fields): void {
    for (const [name, value] of Object.entries(of)) if (value !== null && value !== undefined) message[name] = value
  }

  function wholeBlock({ block, texts }: Building): Fields {
    const whole: Record<string, unknown> = { ...block }
    for (const [field, text] of texts) {
      if (field === 'partial_json') {
        if (text !== '') whole['input'] = text
      } else whole[field] = (textIn(block[field]) ?? '') + text
    }
    return whole
  }

  return {
    event(value: unknown): void {
      const event = fieldsIn(value)
      const { type, index } = event
      const { content, usage: used, ...rest } = fieldsIn(event['message'])
      if (type === 'message_start') {
        say(rest)
        for (const block of listIn(content)) begin(undefined, block)
      }
      for (const [name, count] of Object.entries({ ...fieldsIn(used), ...fieldsIn(event['usage']) }))
        if (count !== null) usage[name] = count
      if (type === 'content_block_start') begin(index, fieldsIn(event['content_block']))
      else if (type === 'content_block_delta') goOn(index, fieldsIn(event['delta']))
      else if (type === 'message_delta') say(fieldsIn(event['delta']))
      else if (type === 'message_stop') isOver = true
    },
    /** What was used by now. */
    usage: (): Fields => usage,
    /** The block at that place, as it is by now. */
    blockAt: (index: unknown): Fields | undefined => {
      const one = index === undefined || index === null ? last : blocks.get(index)
      return one && wholeBlock(one)
    },
    /** What came by now; `isOver`: it said how it ended. */
    whole: (): MessageAnswer & { isOver: boolean } => ({
      id: message['id'],
      model: message['model'],
      content: [...blocks.values()].map(wholeBlock),
      reason: message['stop_reason'],
      details: message['stop_details'],
      usage,
      isOver: isOver || typeof message['stop_reason'] === 'string',
    }),
  }
}
