import { MAX_INSTRUCTIONS, type ServerWords } from '../core/words/tools.ts'
import { digestOf } from '../lib/hash/digest.ts'
import type { OpenServer } from './servers.ts'

const clean = (text: string, redact: (text: string) => string) => redact(text.trim().toWellFormed())

/** What the model is told of a server beside its tools: foreign text is capped, well-formed and without secrets. */
export function introductionOf({ spec, about }: OpenServer, { redact }: { redact: (text: string) => string }): ServerWords {
  const { name: server, description, instructions, notes } = spec
  const own = clean((about.instructions ?? '').slice(0, MAX_INSTRUCTIONS), redact)
  const title = clean((about.title ?? '').slice(0, MAX_TITLE).replaceAll(/\s+/g, ' '), redact)
  return {
    server,
    title: title === '' ? undefined : title,
    description: description === undefined ? undefined : clean(description, redact),
    instructions: instructionsOf(instructions, own),
    notes,
  }
}

const MAX_TITLE = 200

function instructionsOf(setting: string, own: string): ServerWords['instructions'] {
  if (setting === 'drop' || (setting === 'pass' && own === '')) return undefined
  return setting === 'pass' ? { by: 'server', text: own } : { by: 'job', text: setting }
}

/** What a server says of itself, under the digest that a pinned job is held to. */
export interface InstructionsPin {
  server: string
  definition: Record<string, unknown>
  digest: string
}

/** Undefined for a server that says nothing of itself that the model is told. */
export function instructionsPin({ spec, about }: OpenServer): InstructionsPin | undefined {
  const { title } = about
  const instructions = spec.instructions === 'pass' ? about.instructions : undefined
  if (title === undefined && instructions === undefined) return undefined
  const definition = { ...(title !== undefined && { title }), ...(instructions !== undefined && { instructions }) }
  return { server: spec.name, definition, digest: digestOf(definition) }
}
