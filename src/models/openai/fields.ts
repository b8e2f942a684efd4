import type { Labels } from '../model.ts'

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
