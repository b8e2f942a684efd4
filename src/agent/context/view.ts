import type { TurnContext } from '../../core/rules/context/record.ts'
import { stubText, summaryReply } from '../../core/words/window/aside.ts'
import type { Exchange, ToldResult } from '../../models/model.ts'

/** The conversation so far. It only grows at its end, so that prefixes stay in the provider's cache. */
export interface Conversation {
  prompt: string
  exchanges: readonly Exchange[]
}

/** A result that stands in a conversation as it came. */
export interface ShownResult {
  id: string
  result: ToldResult
  /** What would stand in its place. */
  stub: ToldResult
}

/** What a model is told of a conversation: notes in the place of what was summed up, and stubs in that of results. The same until more is put aside. `reader`: the tool that reads a result again. */
export function createView(reader: string | undefined) {
  const aside = new Set<string>()
  let summed = 0
  let notes: readonly Exchange[] = []
  /** How an exchange was told last, with how many stubs: the same object as long as nothing changes, so that it is measured once. */
  const told = new WeakMap<Exchange, { stubs: number; exchange: Exchange }>()
  /** The conversations that were told since something was put aside. */
  let tellings = new WeakMap<Conversation, Conversation>()
  const isAside = ({ id }: ToldResult) => id !== undefined && aside.has(id)

  function tellExchange(one: Exchange): Exchange {
    const stubs = one.results.filter(isAside).length
    if (stubs === 0) return one
    const known = told.get(one)
    if (known?.stubs === stubs) return known.exchange
    const exchange = { ...one, results: one.results.map((result) => (isAside(result) ? stubOf(one, result, reader) : result)) }
    told.set(one, { stubs, exchange })
    return exchange
  }

  return {
    /** Puts aside what a row says; `text`: the notes of a summary. */
    apply({ aside: more = [], summary }: TurnContext, text = ''): void {
      for (const id of more) aside.add(id)
      tellings = new WeakMap()
      if (!summary) return
      summed = summary.of
      notes = [{ items: [{ type: 'message', text }], results: [], reply: summaryReply(reader) }]
    },
    tell(conversation: Conversation): Conversation {
      const known = tellings.get(conversation)
      if (known) return known
      const { prompt, exchanges } = conversation
      const telling = { prompt, exchanges: [...notes, ...exchanges.slice(summed).map(tellExchange)] }
      tellings.set(conversation, telling)
      return telling
    },
    /** Exchanges that notes stand for. */
    summed: () => summed,
    notes: () => notes,
    tellExchange,
    /** The results of an exchange that may still be put aside. */
    shownIn: (one: Exchange): ShownResult[] =>
      one.results.flatMap((result) =>
        result.id === undefined || isAside(result) ? [] : [{ id: result.id, result, stub: stubOf(one, result, reader) }],
      ),
  }
}

const toolOf = ({ items }: Exchange, { callId }: ToldResult): string =>
  items.flatMap((item) => (item.type === 'tool_call' && item.callId === callId ? [item.name] : []))[0] ?? ''

function stubOf(one: Exchange, { callId, id = '', text, noteFrom = text.length }: ToldResult, reader: string | undefined): ToldResult {
  const bytes = Buffer.byteLength(text.slice(0, noteFrom))
  const stub = stubText({ id, tool: toolOf(one, { callId, text }), bytes, reader })
  const note = text.slice(noteFrom).trimStart()
  return { callId, id, text: note === '' ? stub : `${stub}\n\n${note}` }
}
