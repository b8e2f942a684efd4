import type { ErrorObject } from 'ajv'
import { createPlaces } from './places.ts'

/** One way in which a value does not fit a schema. */
export interface SchemaFault {
  /** JSON pointer to what does not fit; empty for the whole value. */
  path: string
  keyword: string
  params: Record<string, unknown>
  message: string
  /** What stands there. */
  value: unknown
  /** The part of the schema that it does not fit. */
  schema: unknown
}

const CHOICE = /^(.*)\/(?:anyOf|oneOf)$/

/** Leaves out what follows from a choice that nothing fits: each alternative has its own errors. */
export function faultsOf(errors: readonly ErrorObject[]): SchemaFault[] {
  const choices = errors.filter(({ schemaPath }) => CHOICE.test(schemaPath))
  const meant = new Set<ErrorObject>()
  const hidden = new Set<ErrorObject>()
  const errorsUnder = createPlaces(errors)
  for (const choice of choices) {
    const under = errorsUnder(choice.instancePath)
    const inside = under.filter((error) => error !== choice && error.schemaPath.startsWith(`${choice.schemaPath}/`))
    for (const error of inside) hidden.add(error)
    // Errors of a referenced alternative name the definition instead of the choice.
    for (const error of under) if (/^#\/(?:\$defs|definitions)\//.test(error.schemaPath)) hidden.add(error)
    const byAlternative = [
      ...Map.groupBy(inside, ({ schemaPath }) => schemaPath.slice(choice.schemaPath.length + 1).split('/')[0]).values(),
    ]
    const fitting = byAlternative.filter((of) =>
      of.every(({ keyword, instancePath }) => !isMark(keyword) && (keyword !== 'type' || instancePath !== choice.instancePath)),
    )
    if (fitting.length !== 1 || byAlternative.length < 2) continue
    hidden.add(choice)
    for (const error of fitting[0] ?? []) meant.add(error)
  }
  return errors
    .filter((error) => meant.has(error) || !hidden.has(error))
    .map(({ instancePath, keyword, params, message, data, parentSchema }) => ({
      path: instancePath,
      keyword,
      params,
      message: message ?? keyword,
      value: data,
      schema: parentSchema,
    }))
}

/** What tells alternatives apart: a fixed value. */
const isMark = (keyword: string) => keyword === 'const' || keyword === 'enum'
