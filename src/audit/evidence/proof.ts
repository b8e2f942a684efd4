import { z } from 'zod'
import { canonicalText, sha256Hex } from '../../lib/hash/chain.ts'
import { rootOfPath, treePath, type TreeStep } from '../../lib/hash/tree.ts'
import { findSignedRun, loadCheckpointLists, loadDocuments } from '../../store/audit/evidence.ts'
import { loadRunRows } from '../../store/audit/signed-rows.ts'
import type { Db } from '../../store/postgres/db.ts'
import { checkpointSchema, isOfNow, isWhole, readDocument, type SignedNow } from './chain.ts'
import { otherThanRows } from './rules/same.ts'
import { partsOf, type SignedParts } from './rules/rows.ts'
import { readRuns } from './rules/listed.ts'

/** That a run is in a checkpoint as its rows are, which says nothing of the others: what stands there of it, and its way to the root (RFC 6962). */
export interface Inclusion extends SignedParts {
  checkpoint: SignedNow
  entry: unknown
  path: readonly TreeStep[]
}

/** The proof of a run as it stands, and as entries of a bundle show it, or why there is none. Content that retention removed, and how a run stood that goes on, are null. */
export async function proveRun(
  db: Db,
  runId: string,
  entries: readonly { kind: string; data: unknown }[],
): Promise<Inclusion | { why: string }> {
  const number = await findSignedRun(db, runId)
  const document = (await loadDocuments(db)).find((one) => one.number === number)?.document
  const checkpoint = readDocument(document)
  const rows = (await loadRunRows(db, [runId])).get(runId)
  if (number === undefined || !rows || !isOfNow(checkpoint)) return { why: 'no checkpoint has the run as it stands yet' }
  const { runs, lines } = await loadCheckpointLists(db, number)
  const said = readRuns(runs) ?? []
  const index = said.findIndex(({ id }) => id === runId)
  const entry = said[index]
  if (!entry || !('rule' in entry)) return { why: 'no checkpoint has the run as it stands yet' }
  const leaves = [...said, ...(Array.isArray(lines) ? lines : [])].map(canonicalText)
  const { kept, content, state } = partsOf(rows, entry)
  const proof = {
    checkpoint,
    entry,
    path: treePath(leaves, index),
    kept,
    content: digestOf(content) === entry.content ? content : null,
    state: digestOf(state) === entry.state ? state : null,
  }
  return inclusionFault(proof, { runId, entries }) === undefined
    ? proof
    : { why: `the run is not as checkpoint ${number} says; see nightshift evidence verify --store` }
}

const digestOf = (value: unknown) => sha256Hex(canonicalText(value))

const hex = z.string().regex(/^[0-9a-f]{64}$/)
const inclusionSchema = z.strictObject({
  checkpoint: checkpointSchema,
  entry: z.looseObject({ id: z.string(), kept: z.string(), content: z.string(), state: z.string() }),
  path: z.array(z.union([z.strictObject({ left: hex }), z.strictObject({ right: hex })])).max(64),
  kept: z.unknown(),
  content: z.unknown(),
  state: z.unknown(),
})

/** The checkpoint that a proof is about; undefined where it does not have the form of one. */
export const provenIn = (proof: unknown): SignedNow | undefined => inclusionSchema.safeParse(proof).data?.checkpoint

/** What is wrong with a proof; undefined when the run is in the checkpoint, which its own key signed. Whether that key is trusted is another question. */
export function inclusionFault(
  proof: unknown,
  { runId, entries }: { runId: string; entries: readonly { kind: string; data: unknown }[] },
): string | undefined {
  const { data } = inclusionSchema.safeParse(proof)
  if (!data) return 'its proof does not have the form of one'
  const { checkpoint, entry, path, kept, content, state } = data
  if (entry.id !== runId) return 'its proof is about another run'
  if (!isWhole(checkpoint)) return 'the checkpoint of its proof was changed, or its signature does not fit'
  if (rootOfPath(canonicalText(entry), path) !== checkpoint.root) return 'its proof does not lead to the root of the checkpoint'
  const isAsSigned =
    digestOf(kept) === entry.kept &&
    (content === null || digestOf(content) === entry.content) &&
    (state === null || digestOf(state) === entry.state)
  if (!isAsSigned) return 'the rows of its proof are not those of the checkpoint'
  const other = otherThanRows(entries, { kept, content, state })
  return other === undefined ? undefined : `its proof says otherwise than ${other}`
}
