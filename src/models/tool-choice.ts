import type { ModelRequest } from './model.ts'

/** Which tools a turn may or must call, the one by `byName`; undefined where the model is free, or has none. */
export function toolChoiceOf<Named>(
  { tools, mayCall, mustCall, needsCall }: Pick<ModelRequest, 'tools' | 'mayCall' | 'mustCall' | 'needsCall'>,
  byName: (name: string) => Named,
): 'none' | 'required' | Named | undefined {
  if (tools.length === 0) return undefined
  if (mayCall) return needsCall ? 'required' : undefined
  return mustCall === undefined ? 'none' : byName(mustCall)
}
