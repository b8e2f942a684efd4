import type { Seen, SeenCall } from '../model/seen.ts'
import type { Turn } from '../model/responses.ts'

/** How a character goes about a task: what differs between them. */
export interface Manner {
  /** What it does with a call that gave no result: makes it again, takes it as it is, or takes another way. */
  onTrouble: (call: SeenCall, times: number) => 'again' | 'take' | 'give-up'
}

/** A call that is to be made before the thought can go on. */
class Needed extends Error {
  override readonly name = 'Needed'
  readonly call: { name: string; arguments: string }

  constructor(call: { name: string; arguments: string }) {
    super('a call is to be made')
    this.call = call
  }
}

/** The tool will not do it. */
export class NoWay extends Error {
  override readonly name = 'NoWay'
}

export interface Mind {
  told: string
  /** Whether there is a tool whose name ends so. */
  has: (tool: string) => boolean
  /** Calls the tool whose name ends so, and gives what it said. `nth`: the same call is meant to be made so many times. */
  ask: (tool: string, args: Record<string, unknown>, nth?: number) => string
  /** Ends without an answer, in the way that is offered. */
  giveUp: (what: string, tried: string) => never
}

class GaveUp extends Error {
  override readonly name = 'GaveUp'
  readonly turn: Turn

  constructor(turn: Turn) {
    super('it gave up')
    this.turn = turn
  }
}

export const isTrouble = (text: string): boolean => text.trim() === '' || /^(Error|\{"type":|The query failed)/.test(text)
export const isDenied = (text: string): boolean => /denied/i.test(text)

const INCOMPLETE = 'nightshift__incomplete'

/**
 * Does a task a call at a time. The task is thought through from the beginning in each turn; a call that was made gives what it gave, and the first that was not is what
 * the turn asks for.
 */
export function think(seen: Seen, manner: Manner, task: (mind: Mind) => string): Turn {
  const names = [...seen.tools, ...seen.calls.map(({ name }) => name)]
  const nameOf = (tool: string) => names.find((one) => one.endsWith(`__${tool}`))
  const mind: Mind = {
    told: seen.told,
    has: (tool) => nameOf(tool) !== undefined,
    ask(tool, args, nth = 1) {
      const name = nameOf(tool) ?? tool
      const text = JSON.stringify(args)
      const made = seen.calls.filter((call) => call.name === name && call.arguments === text)
      let good = 0
      for (const [index, call] of made.entries()) {
        const next = isTrouble(call.result) ? manner.onTrouble(call, index + 1) : 'take'
        if (next === 'give-up') throw new NoWay(call.result)
        if (next === 'take' && ++good === nth) return call.result
      }
      throw new Needed({ name, arguments: text })
    },
    giveUp(what, tried) {
      const args = { because: 'missing_data', what, tried }
      if (!seen.tools.includes(INCOMPLETE)) {
        const isOffered = seen.told.includes('{"incomplete"')
        throw new GaveUp({ text: isOffered ? JSON.stringify({ incomplete: args }) : `${what} ${tried}`, stop: 'end' })
      }
      throw new GaveUp({ calls: [{ name: INCOMPLETE, arguments: JSON.stringify(args) }], stop: 'end' })
    },
  }
  try {
    return { text: task(mind), stop: 'end' }
  } catch (error) {
    if (error instanceof GaveUp) return error.turn
    if (error instanceof Needed && !seen.mustAnswer) return { calls: [error.call], stop: 'end' }
    // Asked again without what it was told before, it says again what it said.
    if (error instanceof Needed || error instanceof NoWay)
      return { text: seen.said.at(-1) ?? 'I could not find it out with the tools that I have.', stop: 'end' }
    throw error
  }
}
