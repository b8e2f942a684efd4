// How a model ends a run without an answer, as data: in a call of ours where it has our tools, or in the answer of a hosted run, which has none.
import { isObject } from '../../lib/json/object.ts'
import { z } from 'zod'
import { findJson } from '../../lib/json/find.ts'
import { nodeAt, sourceOf, treeOf } from '../../lib/json/tree.ts'
import { moveSchema } from '../../lib/schema/parameters.ts'
import type { Schema } from '../../lib/schema/shape.ts'
import type { Ending, TurnItem } from '../run.ts'
import { INCOMPLETE, INCOMPLETE_REASONS, NOTHING_NEW } from '../words/endings.ts'
import { parseDigits } from '../../lib/json/parse.ts'

const incompleteSchema = z.object({
  because: z.enum(INCOMPLETE_REASONS),
  what: z.string().min(1),
  tried: z.string(),
  draft: z
    .string()
    .nullish()
    .transform((draft) => draft ?? undefined),
})
const nothingNewSchema = z.object({ why: z.string().min(1) })

export type ReadEnding = { ok: true; ending: Ending } | { ok: false; why: string }

/** Reads what a model says of an ending; `why` names the first thing that does not fit. */
export function readEndingOf(kind: Ending['kind'], value: unknown): ReadEnding {
  const parsed =
    kind === 'incomplete'
      ? incompleteSchema.transform((read) => ({ kind: 'incomplete' as const, ...read })).safeParse(value)
      : nothingNewSchema.transform((read) => ({ kind: 'nothing-new' as const, ...read })).safeParse(value)
  if (parsed.success) return { ok: true, ending: parsed.data }
  const [why = ''] = parsed.error.issues.map(({ path, message }) => `/${path.join('/')} ${message}`)
  return { ok: false, why }
}

/** The parts of an envelope: one of them is filled in, the others are null. */
const RESULT = 'result'
const PARTS = { incomplete: 'incomplete', 'nothing-new': 'nothing_new' } as const
const KEYS = new Set<string>([RESULT, ...Object.values(PARTS)])

/** The schema of an answer that is either the result or an ending. References into the job's schema are moved with it. */
export function envelopeSchema(schema: Schema): Schema {
  const orNull = (one: unknown) => ({ anyOf: [one, { type: 'null' }] })
  const { $schema: _, ...result } = schema
  const { inner, definitions } = moveSchema(result, `#/properties/${RESULT}/anyOf/0`)
  return {
    type: 'object',
    properties: {
      [RESULT]: orNull(inner),
      [PARTS.incomplete]: orNull(everyKey(INCOMPLETE.parameters, INCOMPLETE.description)),
      [PARTS['nothing-new']]: orNull(everyKey(NOTHING_NEW.parameters, NOTHING_NEW.description)),
    },
    required: [...KEYS],
    additionalProperties: false,
    ...definitions,
  }
}

/** With every key required, as strict mode wants it: one that may be left out may be null instead. */
function everyKey(schema: Schema, description: string): Schema {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const required: unknown = schema['required']
  const isRequired = (key: string) => Array.isArray(required) && required.includes(key)
  const all = Object.entries(properties).map(([key, value]) => [
    key,
    isRequired(key) || !isObject(value) ? value : { ...value, type: [value['type'], 'null'] },
  ])
  return { ...schema, description: description.split('. ')[0], properties: Object.fromEntries(all), required: Object.keys(properties) }
}

export interface OpenedEnvelope {
  ending: Ending | undefined
  /** JSON text of the result, as it was written. */
  result: string | undefined
}

/** Opens an answer that is an envelope; undefined for any other. An ending beside a result wins: what was not done must not look done. */
export function openEnvelope(text: string): OpenedEnvelope | undefined {
  const found = findJson(text, ['{'])
  const tree = found.kind === 'one' ? treeOf(found.json) : undefined
  if (found.kind !== 'one' || !tree) return undefined
  const keys = (tree.children ?? []).map(({ children }) => String(children?.[0]?.value))
  if (!keys.every((key) => KEYS.has(key))) return undefined
  const partOf = (key: string) => {
    const node = nodeAt(tree, `/${key}`)
    return node === undefined || node.type === 'null' ? undefined : sourceOf(found.json, node)
  }
  const result = partOf(RESULT)
  for (const kind of ['incomplete', 'nothing-new'] as const) {
    const part = partOf(PARTS[kind])
    const read = part === undefined ? undefined : readEndingOf(kind, parseDigits(part))
    if (read?.ok) return { ending: withDraft(read.ending, result), result: undefined }
  }
  return result === undefined ? undefined : { ending: undefined, result }
}

const withDraft = (ending: Ending, result: string | undefined): Ending =>
  ending.kind === 'incomplete' && ending.draft === undefined && result !== undefined ? { ...ending, draft: result } : ending

/** The texts that are the answer: those that say so, else all that were not said on the way to it. None: the model has not answered. */
export function answerTexts(items: readonly TurnItem[]): string[] {
  const messages = items.flatMap((item) => (item.type === 'message' ? [item] : []))
  const final = messages.filter(({ phase }) => phase === 'final_answer')
  return (final.length > 0 ? final : messages.filter(({ phase }) => phase !== 'commentary')).map(({ text }) => text)
}
