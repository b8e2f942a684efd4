import type { TurnWait } from '../run.ts'

/** A model that answered turns of a run, at a service tier. */
export interface ModelUse {
  /** By its name in the configuration; null in rows of an earlier version. */
  provider: string | null
  /** As the provider names it. */
  model: string
  /** The tier that the provider said; null: it said none. */
  tier: string | null
  turns: number
}

/** The models that answered, in the order in which they first did. */
export function modelsUsed(turns: readonly { provider: string | null; model: string; tier: string | null }[]): ModelUse[] {
  const uses = new Map<string, ModelUse>()
  for (const { provider, model, tier } of turns) {
    const key = JSON.stringify([provider, model, tier])
    const use = uses.get(key)
    uses.set(key, { provider, model, tier, turns: (use?.turns ?? 0) + 1 })
  }
  return [...uses.values()]
}

/** A model in words: `openai/gpt-5.4-mini (flex)`. */
export const modelText = ({ provider, model, tier }: Pick<ModelUse, 'provider' | 'model' | 'tier'>): string =>
  `${provider === null ? '' : `${provider}/`}${model}${tier === null || tier === 'default' ? '' : ` (${tier})`}`

/** Waits for one model for one reason, and what came after them. */
export interface ModelWait extends Omit<TurnWait, 'waitMs'> {
  times: number
  /** In all. */
  waitMs: number
}

/** What was waited for before a turn: those in a row for one reason as one. */
export function waitsInOne(waits: readonly TurnWait[]): ModelWait[] {
  const all: ModelWait[] = []
  for (const { waitMs = 0, ...wait } of waits) {
    const last = all.at(-1)
    const isSame =
      last && last.next === undefined && last.code === wait.code && last.model === wait.model && last.provider === wait.provider
    if (!isSame) all.push({ ...wait, times: waitMs > 0 ? 1 : 0, waitMs })
    else all[all.length - 1] = { ...last, ...wait, at: last.at, times: last.times + (waitMs > 0 ? 1 : 0), waitMs: last.waitMs + waitMs }
  }
  return all
}
