import { Counter, type Registry } from 'prom-client'
import type { Tags } from '../core/run.ts'

/** Whoever may ask for a run may write any value: of each tag so many are told apart, and the rest are one. */
const MAX_VALUES = 100
const OTHER = 'other'

export interface TaggedEnd {
  outcome: string
  tags: Tags
  costUsd: number | null
}

/** Counts runs that ended here by the tags that the configuration names. */
export function addTagCounters(registry: Registry, names: () => readonly string[]): (end: TaggedEnd) => void {
  const registers = [registry]
  const runs = new Counter({
    name: 'nightshift_tagged_runs_total',
    help: 'Runs that ended here, by a tag of api.metricTags and outcome; other: of more than a hundred values.',
    labelNames: ['tag', 'value', 'outcome'],
    registers,
  })
  const cost = new Counter({
    name: 'nightshift_tagged_cost_usd_total',
    help: 'What is known of the cost of runs that ended here, by a tag of api.metricTags.',
    labelNames: ['tag', 'value'],
    registers,
  })
  const known = new Map<string, Set<string>>()

  function labelOf(tag: string, value: string): string {
    const values = known.get(tag) ?? new Set()
    known.set(tag, values)
    if (!values.has(value) && values.size >= MAX_VALUES) return OTHER
    values.add(value)
    return value
  }

  return ({ outcome, tags, costUsd }) => {
    for (const tag of names()) {
      const given = tags[tag]
      if (given === undefined) continue
      const value = labelOf(tag, given)
      runs.inc({ tag, value, outcome })
      if (costUsd !== null) cost.inc({ tag, value }, costUsd)
    }
  }
}
