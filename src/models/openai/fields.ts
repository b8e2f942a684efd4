import type { Labels, ModelRequest } from '../model.ts'

/** Longest value of a label that OpenAI takes. */
const MAX_LABEL = 512

/**
 * What a request is for, beside what it says: the run in `metadata`, and whose it is in `safety_identifier`, where the provider is to be told. OpenAI's Chat API takes metadata
 * only with what it keeps.
 */
export function labelFields(labels: Labels | undefined, told: { isTold: boolean; hasMetadata: boolean }) {
  if (!labels || !told.isTold) return {}
  const { user, ...about } = labels
  return {
    ...(told.hasMetadata && {
      metadata: Object.fromEntries(Object.entries(about).map(([name, value]) => [name, value.slice(0, MAX_LABEL)])),
    }),
    safety_identifier: user,
  }
}

/** Which tools a turn may or must call, the one by `byName`; undefined where the model is free, or has none. */
export function toolChoiceOf<Named>(
  { tools, mayCall, mustCall, needsCall }: Pick<ModelRequest, 'tools' | 'mayCall' | 'mustCall' | 'needsCall'>,
  byName: (name: string) => Named,
): 'none' | 'required' | Named | undefined {
  if (tools.length === 0) return undefined
  if (mayCall) return needsCall ? 'required' : undefined
  return mustCall === undefined ? 'none' : byName(mustCall)
}
