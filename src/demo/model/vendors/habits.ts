/** How a provider that calls servers itself goes about it, where providers differ. */
export interface Habits {
  /** A call is announced and then has its arguments, or the other way round, with other names of the events and less beside them. */
  order: 'announced-first' | 'arguments-first'
  /** What becomes of calls beyond `max_tool_calls`: they are not made, they are made all the same, the field is refused, or the answer breaks off with an error. */
  mostCalls: 'kept' | 'ignored' | 'unknown-field' | 'breaks-off'
  /** Without background mode: it goes on when its reader has gone. */
  goesOn: boolean
  /** The field is done, is left out of the answer, or works only where nothing is streamed. */
  background: 'kept' | 'ignored' | 'polled'
  /** Where it takes the token for a server. */
  token: 'headers' | 'authorization'
  /** It counts tokens. */
  usage: boolean
  /** What is put before the name of a tool in its reports. */
  prefix: string
  /** The last event says again what was said. */
  output: 'whole' | 'empty'
}

/** As OpenAI publishes it. */
export const OPENAI_HABITS: Habits = {
  order: 'announced-first',
  mostCalls: 'kept',
  goesOn: false,
  background: 'kept',
  token: 'headers',
  usage: true,
  prefix: '',
  output: 'whole',
}

/** Seen at OGX 1.5.0. */
export const OGX_HABITS: Habits = { ...OPENAI_HABITS, order: 'arguments-first', background: 'polled', token: 'authorization' }

/** Seen at SMG 1.13.0. */
export const SMG_HABITS: Habits = { ...OPENAI_HABITS, mostCalls: 'breaks-off', background: 'ignored' }
