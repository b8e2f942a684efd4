import { setTimeout as sleep } from 'node:timers/promises'
import { countingRoute, startCountingServer } from '../support/mcp/counting-server.ts'
import type { Dice } from '../support/dice.ts'

/** A job, what its model says, and the effects that a green run of it has had. */
interface Work {
  delegate: 'local' | 'hosted'
  script: string
  acts: readonly number[]
  looks: readonly number[]
  /** How it may end well: not green where the model says that it could not do it. */
  ends: 'succeeded' | 'incomplete'
}

/** Tools of the server beside `act` and `look`: with so many, those two are found and called by tools of ours. */
const SPARE_TOOLS = 30

/** `act` must not be repeated, `look` may. */
export const WORKS = {
  'local-both': {
    delegate: 'local',
    script: `call counting__act {"n": 1} & counting__look {"n": 1}
wait 200
call counting__act {"n": 2}
call counting__look {"n": 2} & counting__act {"n": 3}
wait 100
say done`,
    acts: [1, 2, 3],
    looks: [1, 2],
    ends: 'succeeded',
  },
  'local-faults': {
    delegate: 'local',
    script: `fail 500
call counting__act {"n": 1}
cut
call counting__look {"n": 1} & counting__look {"n": 2}
silent
say done`,
    acts: [1],
    looks: [1, 2],
    ends: 'succeeded',
  },
  'local-looks': {
    delegate: 'local',
    script: `call counting__look {"n": 1} & counting__look {"n": 2}
wait 300
call counting__look {"n": 3}
say done`,
    acts: [],
    looks: [1, 2, 3],
    ends: 'succeeded',
  },
  'own-read': {
    delegate: 'local',
    script: `call counting__look {"n": 1} & counting__act {"n": 1}
call nightshift__read {"server": "counting", "uri": "counting://look/1"} & nightshift__wait {"seconds": 1}
call counting__act {"n": 2}
call nightshift__wait {"seconds": 1} & nightshift__read {"server": "counting", "uri": "counting://look/1"}
call nightshift__incomplete {"because": "missing_data", "what": "There is no more.", "tried": "Looking."}`,
    acts: [1, 2],
    looks: [1],
    ends: 'incomplete',
  },
  'own-find': {
    delegate: 'local',
    script: `call nightshift__find_tools {"query": "act look"}
call nightshift__call_tool {"tool": "counting__act", "arguments": {"n": 1}}
call nightshift__find_tools {"query": "look"} & nightshift__call_tool {"tool": "counting__look", "arguments": {"n": 1}}
call nightshift__wait {"seconds": 1} & nightshift__call_tool {"tool": "counting__act", "arguments": {"n": 2}}
call nightshift__nothing_new {"why": "All was seen before."}`,
    acts: [1, 2],
    looks: [1],
    ends: 'succeeded',
  },
  'hosted-both': {
    delegate: 'hosted',
    script: `wait 150
call counting__act {"n": 1}
wait 200
call counting__look {"n": 1} & counting__act {"n": 2}
wait 150
say done`,
    acts: [1, 2],
    looks: [1],
    ends: 'succeeded',
  },
  'hosted-cut': {
    delegate: 'hosted',
    script: `call counting__act {"n": 1}
cut
wait 300
call counting__act {"n": 2}
say done`,
    acts: [1, 2],
    looks: [],
    ends: 'succeeded',
  },
  'hosted-looks': {
    delegate: 'hosted',
    script: `call counting__look {"n": 1}
wait 300
call counting__look {"n": 2}
say done`,
    acts: [],
    looks: [1, 2],
    ends: 'succeeded',
  },
} as const satisfies Record<string, Work>

export type WorkName = keyof typeof WORKS
export const WORK_NAMES = [
  'local-both',
  'local-faults',
  'local-looks',
  'own-read',
  'own-find',
  'hosted-both',
  'hosted-cut',
  'hosted-looks',
] as const satisfies WorkName[]

/** False for work with tools of ours, which not every release has. */
export const isOfServers = (name: WorkName): boolean => !name.startsWith('own-')

export const scriptOf = (name: WorkName) => WORKS[name].script

/** The prompts differ, since the model knows a conversation by its prompt. */
export const jobOf = (name: WorkName) => {
  const { delegate, acts, looks } = WORKS[name]
  const spare = name === 'own-find' ? Array.from({ length: SPARE_TOOLS }, (_, i) => `spare_${i + 1}`) : []
  const tools = [...spare, ...(acts.length > 0 ? ['act'] : []), ...(looks.length > 0 ? ['look'] : [])]
  return {
    account: 'reports',
    delegate,
    model: { provider: 'openai', name },
    prompt: 'Do the work of {{ run_id }}.',
    tools: { counting: { allow: tools, repeatable: looks.length > 0 ? ['look'] : [] } },
    limits: { deadline: '2m' },
    deliver: [{ file: 'reports' }],
    retry: { attempts: 6, backoff: '500ms' },
  }
}

/** How often a tool took effect for a run and its argument: keys are `run tool n`. */
export type Effects = ReadonlyMap<string, number>

export const effectOf = (runId: string, tool: string, n: number) => `${runId} ${tool} ${n}`

/** A server whose calls take their time, most of it after their effect, where a kill does the most harm; nothing stops one that has begun. */
export async function startEffects(dice: Dice) {
  const effects = new Map<string, number>()
  const server = await startCountingServer(
    async ({ name, arguments: { n } }, req) => {
      await sleep(dice.between(0, 300))
      const key = effectOf(String(req.headers['x-nightshift-run-id']), name, Number(n))
      effects.set(key, (effects.get(key) ?? 0) + 1)
      await sleep(dice.between(200, 2000))
      return 'done'
    },
    { spareTools: SPARE_TOOLS, resources: true },
  )
  const seen: Effects = effects
  return { effects: seen, route: countingRoute(server, { maxRequestBytes: 65_536 }), [Symbol.asyncDispose]: () => server.close() }
}
