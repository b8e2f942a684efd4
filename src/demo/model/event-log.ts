import type OpenAI from 'openai'
import type { WithoutNumber } from './responses.ts'

export type Event = OpenAI.Responses.ResponseStreamEvent
/** `cut` and `silent`: the stream breaks off, or ends, for its first reader. */
export type Logged = Event | 'cut' | 'silent'

const TERMINAL = new Set(['response.completed', 'response.failed', 'response.incomplete'])

/** The events of an answer, which readers follow from wherever they are. */
export function createEventLog() {
  const log: Logged[] = []
  const waiting = new Set<() => void>()
  let over = false
  let number = 0

  function wake(): void {
    for (const one of waiting) one()
    waiting.clear()
  }

  function push(one: Logged): void {
    log.push(one)
    wake()
  }

  return {
    emit: (event: WithoutNumber<Event>) => push({ ...event, sequence_number: number++ }),
    /** An event that the client's types do not have. */
    // oxlint-disable-next-line no-unsafe-type-assertion -- other servers send other events
    emitForeign: (event: object) => push({ ...event, sequence_number: number++ } as Event),
    breakOff: (how: 'cut' | 'silent') => push(how),
    end(): void {
      over = true
      wake()
    },
    /** The answer of the last event; undefined while it is under way. */
    last(): OpenAI.Responses.Response | undefined {
      const event = log.findLast((one) => typeof one === 'object' && TERMINAL.has(one.type))
      return typeof event === 'object' && 'response' in event ? event.response : undefined
    },
    /** Events after the number given, as they come; ends after the last. */
    async *events({ after, first }: { after: number; first: boolean }): AsyncGenerator<Logged> {
      for (let at = 0; ; at++) {
        while (at >= log.length) {
          if (over) return
          await new Promise<void>((resolve) => waiting.add(resolve))
        }
        const event = log[at]
        if (typeof event === 'string' && !first) continue
        if (event !== undefined && (typeof event === 'string' || event.sequence_number > after)) yield event
      }
    },
  }
}
