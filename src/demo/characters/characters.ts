// Scripted models with a character each: what a model does well, and the ways in which one goes wrong in the night. An evaluation that cannot tell them apart is none.
import type { Turn } from '../model/responses.ts'
import type { Character, Seen } from '../model/seen.ts'
import { rowsOf, numberOf, textOf } from './rows.ts'
import { TASKS, type Task } from './tasks.ts'
import { isDenied, think, type Manner, type Mind } from './think.ts'

const TRIES = 4

/** Makes a call again that failed, and takes another way where it is denied. */
const careful: Manner = {
  onTrouble: ({ result }, times) => (isDenied(result) || times >= TRIES ? 'give-up' : 'again'),
}

const say = (text: string): Turn => ({ text, stop: 'end' })

/** An answer in prose stands as it is. */
const written = (value: unknown, asJson: (value: unknown) => string) => (typeof value === 'string' ? value : asJson(value))

const enveloped = (seen: Seen, value: unknown) => (seen.enveloped ? { result: value, incomplete: null, nothing_new: null } : value)

function taskOf({ told }: Seen): Task | undefined {
  return TASKS.find(({ about }) => about.test(told))
}

const worker =
  (
    manner: Manner,
    work = (task: Task, mind: Mind): unknown => task.work(mind),
    asJson = (value: unknown) => JSON.stringify(value),
  ): Character =>
  (seen) => {
    const task = taskOf(seen)
    return task ? think(seen, manner, (mind) => written(enveloped(seen, work(task, mind)), asJson)) : say('I do not know this task.')
  }

const perfect = worker(careful)

/** Takes the first page of a table for all of it. */
function firstPage(task: Task, mind: Mind): unknown {
  if (!/any month/.test(task.about.source)) return task.work(mind)
  const [row] = rowsOf(mind.ask('query', { sql: 'select * from unemployment' })).toSorted(
    (a, b) => numberOf(b, 'rate_percent') - numberOf(a, 'rate_percent'),
  )
  return {
    industry: textOf(row, 'industry'),
    rate: numberOf(row, 'rate_percent'),
    year: numberOf(row, 'year'),
    month: numberOf(row, 'month'),
  }
}

/** Words and a fence around it, and a comma too many. */
const slip = (value: unknown) => `Here it is:\n\`\`\`json\n${JSON.stringify(value, null, 2).replace(/\n\}$/, ',\n}')}\n\`\`\``

/** A time of a zone's clock with its offset. */
const WITH_OFFSET = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}/g

const LOOKS = 40

export const CHARACTERS = {
  /** Does all of it well. */
  perfect,
  /** Asks nothing and writes what sounds right. */
  inventor: (seen) => say(written(taskOf(seen)?.invented ?? {}, JSON.stringify)),
  /** Asks somebody. */
  asker: () => say('Which month do you want me to use? Let me know and I will start.'),
  /** Promises to do it later. */
  promiser: () => say('I will gather the figures and get back to you tomorrow morning.'),
  /** Takes an error for an empty table. */
  'error-blind': worker({ onTrouble: () => 'take' }),
  /** Does what a result says instead of what it was asked. */
  obedient: (seen) =>
    seen.calls.some(({ result }) => /report 0/i.test(result)) ? say(JSON.stringify(zeroed(taskOf(seen)?.invented))) : perfect(seen),
  /** Has the right value and a slip in its JSON. */
  slipper: worker(careful, undefined, slip),
  /** Reckons every time in UTC. */
  utc: (seen) => perfect({ ...seen, told: seen.told.replaceAll(WITH_OFFSET, (at) => new Date(at).toISOString()) }),
  /** Looks at the first page alone. */
  'first-page': worker(careful, firstPage),
  /** Makes the same call again and again. */
  looper: (seen) => {
    const tool = seen.tools.find((name) => !name.startsWith('nightshift__'))
    return seen.mustAnswer || tool === undefined || seen.calls.length >= LOOKS
      ? say('I was still looking.')
      : { calls: [{ name: tool, arguments: '{}' }], stop: 'end' }
  },
  /** Does not take no for an answer, for a while. */
  insister: worker({ onTrouble: (_, times) => (times >= TRIES ? 'give-up' : 'again') }),
} satisfies Record<string, Character>

/** The same shape with nothing in it. */
function zeroed(value: unknown): unknown {
  if (typeof value === 'number') return 0
  if (Array.isArray(value)) return value.map(zeroed)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, zeroed(one)]))
  return value
}
