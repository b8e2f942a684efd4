import type { Window } from '../../core/rules/context/window.ts'
import type { JobDefinition } from '../../jobs/schema.ts'
import type { RunResources } from '../resources.ts'

/** The window that a run keeps within: the smallest that is known of its models, any of which may take the next turn. Undefined where none is known. */
export function windowOf({ factsOf }: Pick<RunResources, 'factsOf'>, { model }: Pick<JobDefinition, 'model'>): Window | undefined {
  const windows = [model, ...model.fallback].flatMap(({ provider, name }): Window[] => {
    const { windowTokens, maxOutputTokens } = factsOf(provider, name)
    return windowTokens === undefined ? [] : [{ tokens: windowTokens, maxOutputTokens }]
  })
  return windows.toSorted((a, b) => a.tokens - b.tokens)[0]
}
