import { v5 as uuidv5 } from 'uuid'
import { identityOf } from '../../core/rules/evidence/identity.ts'
import { createLoopWatch } from '../../core/rules/loops.ts'
import { isUnreadable, keepText } from '../../core/rules/reading/keep.ts'
import { mayAskAgain } from '../../core/rules/repeat.ts'
import { resultOf } from '../../core/run.ts'
import { parseKept, tryParse } from '../../lib/json/parse.ts'
import type { HostedCall } from '../../models/hosted.ts'
import { unknownEnd, type HostedEnd } from './ends.ts'
import type { HostedOptions, KnownCall } from './options.ts'

/** An answer's calls have the same row ids however often their events are read, and no other answer of the run has them: some providers count their calls from 1 in each. */
const CALL_NAMESPACE = '3d5f2a52-7f0c-4b43-9c4e-6b1df5e8a1c7'
/** Most calls beside those that the job allows that have a row: a provider that invents them without end writes no more. */
const MOST_OVER = 1000

const NOT_MADE: HostedEnd = {
  status: 'not_run',
  text: 'The provider did not make this call: it had made as many as it was allowed.',
  truncated: false,
  failure: null,
  unauthorized: false,
}

type Details = Pick<KnownCall, 'server' | 'tool' | 'arguments' | 'repeatable'>

/** A call of the answer. What was not written yet, since the store did not answer, is written when the call is met again. */
interface BegunCall {
  call: KnownCall
  id: string
  at: number
  position: number
  /** What its row says of it; undefined while there is no row. */
  kept: Details | undefined
  /** Undefined while it is under way. */
  end: HostedEnd | undefined
  isEndKept: boolean
}

/** Writes each call of one answer: when it is first heard of, when more of it is known, and when it ends. `calls` grows with them. */
export function createCallRows(options: HostedOptions, calls: KnownCall[], turn: number) {
  const { journal, servers, limits, runId } = options
  const isFoundAgain = options.open?.turn === turn
  // Of the first answer, as the version before has them for every one.
  const answer = turn === 1 ? runId : `${runId} ${turn}`
  const began = new Map<string, BegunCall>()
  const loops = createLoopWatch()
  /** Calls of which the arguments came and that were not announced. */
  const spoken = new Map<string, HostedCall>()
  let more = 0

  /** Of a call that nobody named, whether each is that it may be. */
  function isRepeatable(server: string, tool: string): boolean {
    const meant = servers.filter(({ name, tools }) => (server === '' || name === server) && (tool === '' || tools.includes(tool)))
    return meant.length > 0 && (tool === '' ? mayAskAgain(meant) : meant.every(({ repeatable }) => repeatable.includes(tool)))
  }

  function detailsOf({ server, tool, arguments: args }: HostedCall): Details {
    return {
      server,
      tool,
      arguments: args === undefined ? null : (tryParse(args, parseKept) ?? args),
      repeatable: isRepeatable(server, tool),
    }
  }

  async function keep(one: BegunCall): Promise<void> {
    const { call, id, position, kept } = one
    const { callId, server, tool, arguments: args, repeatable } = call
    const now = { server, tool, arguments: args, repeatable }
    if (!kept) {
      await journal.toolCall({ id, turn, position, callId, ...now })
      // An earlier attempt may have written the row when less was known.
      if (isFoundAgain) await journal.toolCallDetails({ id, ...now })
    } else if (kept.server !== server || kept.tool !== tool || kept.arguments !== args) await journal.toolCallDetails({ id, ...now })
    one.kept = now
  }

  async function end(one: BegunCall, told: HostedEnd): Promise<void> {
    if (one.isEndKept) return
    const { status, text, truncated, failure, keep: whole } = (one.end ??= told)
    const { call, id, at } = one
    await keep(one)
    const kept = await keepText(journal, whole)
    Object.assign(call, { status, text, truncated: isUnreadable({ truncated, kept }, true), kept, failure })
    const result = resultOf({ text, truncated, ...(kept && { kept }) })
    await journal.toolCallEnd({ id, status, result, failure, durationMs: performance.now() - at })
    one.isEndKept = true
    const watched = { tool: `${call.server} ${call.tool}`, arguments: JSON.stringify(call.arguments) }
    loops.note(watched, {
      identity: identityOf({ text, kept }),
      failed: status !== 'ok',
      mistake: false,
      wrote: !call.repeatable && status !== 'error',
    })
  }

  const rows = {
    /** Calls that the provider spoke of, those without a row included. */
    count: () => began.size + more,
    /** Calls that ran, or may have. */
    made: () => [...began.values()].filter(({ call }) => call.status !== 'not_run').length + more,
    /** Calls that are over. */
    ended: () => [...began.values()].filter((one) => one.end !== undefined).length,
    /** A call has no end yet, or may have begun. */
    isUnderWay: () => spoken.size > 0 || [...began.values()].some((one) => one.end === undefined),
    /** Why the model has to answer now, if it repeats itself. */
    loop: () => loops.reason(),

    /** A call that was announced, or of which more is known now. */
    async begin(told: HostedCall): Promise<void> {
      spoken.delete(told.id)
      const known = began.get(told.id)
      if (known) {
        // What it was when it ended is what its end is about.
        if (!known.end) Object.assign(known.call, changed(known.call, detailsOf(told)))
        return keep(known)
      }
      if (began.size >= limits.toolCalls + MOST_OVER) return void more++
      const call: KnownCall = { callId: told.id, ...detailsOf(told), status: 'sent', text: '', truncated: false, failure: null }
      const id = uuidv5(`${answer} ${told.id}`, CALL_NAMESPACE)
      const one: BegunCall = { call, id, at: performance.now(), position: told.position, kept: undefined, end: undefined, isEndKept: false }
      began.set(told.id, one)
      calls.push(call)
      await keep(one)
    },

    spoken: (told: HostedCall) => void spoken.set(told.id, told),

    async end(callId: string, told: HostedEnd): Promise<void> {
      const known = began.get(callId)
      if (known) await end(known, told)
    },

    /** The provider says that it did not make the calls under way. */
    async refuse(): Promise<void> {
      for (const one of began.values()) await end(one, one.end ?? NOT_MADE)
    },

    /** Nobody will tell the end of the calls under way. `isWhole`: the answer is, and a call that was never announced was none. */
    async abandon(why: string, isWhole: boolean): Promise<void> {
      if (!isWhole) for (const told of spoken.values()) await rows.begin(told)
      for (const one of began.values()) await end(one, one.end ?? unknownEnd(one.call.tool, one.call.server, why))
    },
  }
  return rows
}

/** Arguments that are the same are the same value, so that nothing is written for them. */
const changed = (was: Details, now: Details): Details =>
  JSON.stringify(was.arguments) === JSON.stringify(now.arguments) ? { ...now, arguments: was.arguments } : now
