import { setTimeout as sleep } from 'node:timers/promises'
import { countingRoute, startCountingServer } from '../support/mcp/counting-server.ts'
import type { Dice } from '../support/dice.ts'

/** A job, what its model says, and the effects that a green run of it has had. */
interface Work {
  delegate: 'local' | 'hosted'
  script: string
  acts: readonly number[]
  looks: readonly number[]
}

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
  },
  'local-looks': {
    delegate: 'local',
    script: `call counting__look {"n": 1} & counting__look {"n": 2}
wait 300
call counting__look {"n": 3}
say done`,
    acts: [],
    looks: [1, 2, 3],
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
  },
  'hosted-looks': {
    delegate: 'hosted',
    script: `call counting__look {"n": 1}
wait 300
call counting__look {"n": 2}
say done`,
    acts: [],
    looks: [1, 2],
  },
} as const satisfies Record<string, Work>

export type WorkName = keyof typeof WORKS
export const WORK_NAMES = [
  'local-both',
  'local-faults',
  'local-looks',
  'hosted-both',
  'hosted-cut',
  'hosted-looks',
] as const satisfies WorkName[]

export const scriptOf = (name: WorkName) => WORKS[name].script

/** The prompts differ, since the model knows a conversation by its prompt. */
export const jobOf = (name: WorkName) => {
  const { delegate, acts, looks } = WORKS[name]
  const tools = [...(acts.length > 0 ? ['act'] : []), ...(looks.length > 0 ? ['look'] : [])]
  return {
    account: 'reports',
    delegate,
    model: { provider: 'openai', name },
    prompt: 'Do the work of {{ run_id }}.',
    tools: { counting: { allow: tools, repeatable: looks.length > 0 ? ['look'] : [] } },
    limits: { deadline: '2m' },
    retry: { attempts: 6, backoff: '500ms' },
  }
}

/** How often a tool took effect for a run and its argument: keys are `run tool n`. */
export type Effects = ReadonlyMap<string, number>

export const effectOf = (runId: string, tool: string, n: number) => `${runId} ${tool} ${n}`

/** A server whose calls take their time, most of it after their effect, where a kill does the most harm; nothing stops one that has begun. */
export async function startEffects(dice: Dice) {
  const effects = new Map<string, number>()
  const server = await startCountingServer(async ({ name, arguments: { n } }, req) => {
    await sleep(dice.between(0, 300))
    const key = effectOf(String(req.headers['x-nightshift-run-id']), name, Number(n))
    effects.set(key, (effects.get(key) ?? 0) + 1)
    await sleep(dice.between(200, 2000))
    return 'done'
  })
  const seen: Effects = effects
  return { effects: seen, route: countingRoute(server, { maxRequestBytes: 65_536 }), [Symbol.asyncDispose]: () => server.close() }
}
