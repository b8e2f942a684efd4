import { createHash } from 'node:crypto'
import { z } from 'zod'
import { canonicalText, chainFault, chainOf, headOf, type ChainEntry } from '../../lib/hash/chain.ts'
import type { RunView } from '../../core/view.ts'
import type { EventRow } from '../../store/audit/evidence.ts'
import { inclusionFault, provenIn, type Inclusion } from './proof.ts'
import type { SignedNow } from './chain.ts'
import { isSignedBy, type SigningKey } from './keys.ts'
import { parseJson } from '../../lib/json/parse.ts'

const FORMAT = 'nightshift-evidence/1'
/** The kind of the entries with whole results, which the calls name by their digests. */
const CONTENT = 'content'
/** The kind of the entry that has the proof. */
const INCLUSION = 'inclusion'

const entrySchema = z.strictObject({ seq: z.int(), kind: z.string(), data: z.unknown(), previous: z.string(), hash: z.string() })
const bundleSchema = z.strictObject({
  format: z.literal(FORMAT),
  run: z.string(),
  exportedAt: z.string(),
  count: z.int(),
  head: z.string(),
  publicKey: z.string(),
  signature: z.string(),
  entries: z.array(entrySchema),
})

export type EvidenceBundle = z.output<typeof bundleSchema>

/** What a run is made of, in the order in which it happened. */
export interface Evidence {
  run: RunView
  definitions: readonly { version: string; definition: unknown }[]
  events: readonly EventRow[]
  /** What is kept of results beside their rows, where it is asked for. */
  contents?: readonly BundledContent[] | undefined
  /** That a checkpoint has it so, where one has. */
  inclusion?: Inclusion | undefined
}

const contentSchema = z.strictObject({ digest: z.string(), mediaType: z.string(), base64: z.string() })
export type BundledContent = z.output<typeof contentSchema>

/**
 * Everything that is known of a run up to an attempt, without what Pomerium's log says: that comes later. It does not change when the run is
 * retried afterwards.
 */
export function runEntries(
  { run, definitions }: Omit<Evidence, 'events' | 'contents' | 'inclusion'>,
  attempts = run.attempts.length,
): { kind: string; data: unknown }[] {
  const { id, job, trigger, requestedBy, retryOf, input, createdAt } = run
  const entries: { kind: string; data: unknown }[] = [{ kind: 'run', data: { id, job, trigger, requestedBy, retryOf, input, createdAt } }]
  const counted = run.attempts.slice(0, attempts)
  for (const version of new Set(counted.map((attempt) => attempt.jobVersion)))
    entries.push({
      kind: 'definition',
      data: { version, definition: definitions.find((one) => one.version === version)?.definition ?? null },
    })
  for (const [index, attempt] of counted.entries()) {
    const { number, worker, conversation, jobVersion, prompt, instructions, contract, status, failure, startedAt, finishedAt } = attempt
    // What runs of earlier versions do not have is left out of the chain, so that their digests stay what they were.
    const ours = contract !== null && { contract }
    entries.push({ kind: 'attempt', data: { number, worker, conversation, jobVersion, prompt, instructions, ...ours, startedAt } })
    for (const turn of run.turns) if (turn.attempt === number) entries.push({ kind: 'turn', data: turn })
    for (const { decision: _decision, requestId: _requestId, ...call } of run.toolCalls)
      if (call.attempt === number) entries.push({ kind: 'toolCall', data: call })
    for (const { decision: _decision, ...request } of run.gatewayRequests)
      if (request.attempt === number) entries.push({ kind: 'gatewayRequest', data: request })
    // The result of the last attempt is kept on the run; a retry moves it to the attempt.
    const isLast = index === run.attempts.length - 1
    const gave = isLast && attempt.reasons === null ? run : attempt
    const { output, outputText, ending, mended } = gave
    // What was found after the end stands apart: the end stays what was signed of it.
    const { reasons } = isLast && attempt.reasons === null ? (run.endedAs ?? run) : attempt
    const said = { ...(ending && { ending }), ...(mended && mended.length > 0 && { mended }) }
    entries.push({ kind: 'attemptEnded', data: { number, status, failure, finishedAt, output, outputText, ...said, reasons } })
  }
  return entries
}

/** All that a bundle holds: also what people did to the run, its ends before it went on, what Pomerium's log says, and that a checkpoint has it so. */
function bundleEntries({ inclusion, ...evidence }: Evidence): { kind: string; data: unknown }[] {
  const { run, events, contents = [] } = evidence
  return [
    ...runEntries(evidence),
    ...run.earlierEnds.map((data) => ({ kind: 'earlierEnd', data })),
    ...(run.endedAs ? [{ kind: 'standsAs', data: { status: run.status, reasons: run.reasons } }] : []),
    ...run.acts.map((data) => ({ kind: 'act', data })),
    ...events.map((data) => ({ kind: 'authorizeEvent', data })),
    ...contents.map((data) => ({ kind: CONTENT, data })),
    ...(inclusion ? [{ kind: INCLUSION, data: inclusion }] : []),
  ]
}

/** The digest of a run up to an attempt: the head of the chain of its entries. */
export const runDigest = (evidence: Omit<Evidence, 'events' | 'contents' | 'inclusion'>, attempts?: number): string =>
  headOf(chainOf(runEntries(evidence, attempts)))

/** One signed file with all that is known of a run. */
export function exportBundle(evidence: Evidence, key: SigningKey, now = new Date()): string {
  const entries = chainOf(bundleEntries(evidence))
  const about = {
    format: FORMAT,
    run: evidence.run.id,
    exportedAt: now.toISOString(),
    count: entries.length,
    head: headOf(entries),
    publicKey: key.publicKey,
  } as const
  return `${canonicalText({ ...about, signature: key.sign(canonicalText(about)), entries })}\n`
}

/** A genuine bundle, with the checkpoints that are proved to have its run so; or what is wrong. */
export type Verdict = { ok: true; bundle: EvidenceBundle; provenIn: readonly SignedNow[] } | { ok: false; why: string }

/** Checks a bundle with the public key alone. Any byte that is not as it was exported is found. */
export function verifyBundle(bytes: Uint8Array, publicKey: string): Verdict {
  try {
    return checkBundle(bytes, publicKey)
  } catch {
    return { ok: false, why: 'it holds what no bundle can hold' }
  }
}

/** Calls name a content by its digest: another content would be another result. */
function contentFault(data: unknown): string | undefined {
  const parsed = contentSchema.safeParse(data).data
  const digest = parsed && createHash('sha256').update(Buffer.from(parsed.base64, 'base64')).digest('hex')
  return digest === undefined || digest !== parsed?.digest ? 'a kept result is not what its digest says' : undefined
}

function checkBundle(bytes: Uint8Array, publicKey: string): Verdict {
  let text: string
  let content: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    content = parseJson(text)
  } catch {
    return { ok: false, why: 'it is not JSON in UTF-8' }
  }
  const parsed = bundleSchema.safeParse(content)
  if (!parsed.success) return { ok: false, why: 'it does not have the form of a bundle' }
  const { signature, entries, ...about } = parsed.data
  if (`${canonicalText(content)}\n` !== text) return { ok: false, why: 'it is not written as it was exported' }
  if (about.publicKey !== publicKey) return { ok: false, why: 'it was signed with another key' }
  if (!isSignedBy(publicKey, canonicalText(about), signature)) return { ok: false, why: 'its signature does not fit' }
  const fault = chainFault(entries satisfies ChainEntry[])
  if (fault !== undefined) return { ok: false, why: fault }
  if (about.count !== entries.length || about.head !== headOf(entries)) return { ok: false, why: 'entries are missing or were added' }
  const unlike = entries
    .filter(({ kind }) => kind === CONTENT)
    .map(({ data }) => contentFault(data))
    .find((why) => why !== undefined)
  if (unlike !== undefined) return { ok: false, why: unlike }
  const proofs = entries.filter(({ kind }) => kind === INCLUSION).map(({ data }) => data)
  const unproved = proofs.map((proof) => inclusionFault(proof, { runId: about.run, entries })).find((why) => why !== undefined)
  if (unproved !== undefined) return { ok: false, why: unproved }
  return { ok: true, bundle: parsed.data, provenIn: proofs.flatMap((proof) => provenIn(proof) ?? []) }
}
