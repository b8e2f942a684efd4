import { z } from 'zod'
import { canonicalText, GENESIS, sha256Hex } from '../../lib/hash/chain.ts'
import { treeRoot } from '../../lib/hash/tree.ts'
import { isSignedBy, type SigningKey } from './keys.ts'
import { keyIdOf } from '../../lib/hash/public-key.ts'
import type { Link } from './memory.ts'
import { parseJson } from '../../lib/json/parse.ts'
import { signedKeepSchema } from './rules/keep.ts'

const first = {
  number: z.int(),
  takenAt: z.string(),
  /** Hash of the checkpoint before. */
  previous: z.string(),
  /** Digest of the list of runs. */
  runs: z.string(),
  count: z.int(),
  publicKey: z.string(),
  hash: z.string(),
  signature: z.string(),
}
const linkSchema = z.strictObject({ number: z.int(), hash: z.string() })

const second = {
  ...first,
  /** Digest of the list of pieces of the log, and up to which line they go. */
  lines: z.string(),
  linesTo: z.int(),
  /** Keys that may sign from here on beside those before, and keys that may not any more. */
  introduces: z.array(z.string()),
  retires: z.array(z.string()),
  /** What the signer remembered and what the store had instead, where a person let it go on all the same. */
  gap: z
    .strictObject({ remembered: linkSchema.nullable(), found: linkSchema.nullable(), acceptedBy: z.string(), reason: z.string() })
    .nullable(),
}

/** A checkpoint as programs of now take it. */
export const checkpointSchema = z.strictObject({
  format: z.literal('nightshift-checkpoint/3'),
  ...second,
  /** Digest of the lists of rows of other tables, and up to when they came to be, by table. */
  records: z.string(),
  recordsTo: z.record(z.string(), z.string()),
  /** Root of a Merkle tree (RFC 6962) over what is said of each run, and then of each piece of the log, as canonical JSON. */
  root: z.string(),
  /** What the signer was configured to remove. */
  keep: signedKeepSchema.nullable(),
})

const documentSchema = z.discriminatedUnion('format', [
  z.strictObject({ format: z.literal('nightshift-checkpoint/1'), ...first }),
  z.strictObject({ format: z.literal('nightshift-checkpoint/2'), ...second }),
  checkpointSchema,
])

export type Checkpoint = z.output<typeof documentSchema>
export type SignedNow = z.output<typeof checkpointSchema>

/** Signs a checkpoint. */
export function signCheckpoint(key: SigningKey, about: Omit<SignedNow, 'format' | 'publicKey' | 'hash' | 'signature'>): SignedNow {
  const signed = { format: 'nightshift-checkpoint/3', ...about, publicKey: key.publicKey } as const
  const hash = sha256Hex(canonicalText(signed))
  return { ...signed, hash, signature: key.sign(hash) }
}

/** Root of the tree over what a checkpoint says of runs and of the log. */
export const rootOf = (runs: readonly unknown[], lines: readonly unknown[]): string => treeRoot([...runs, ...lines].map(canonicalText))

/** A checkpoint that is kept; undefined when it does not have the form of one. */
export const readDocument = (document: unknown): Checkpoint | undefined => documentSchema.safeParse(document).data

export const isOfNow = (document: Checkpoint | undefined): document is SignedNow => document?.format === 'nightshift-checkpoint/3'

/** Reads a checkpoint that was kept outside. */
export const parseCheckpoint = (text: string): Checkpoint => documentSchema.parse(parseJson(text))

export interface ChainVerdict {
  /** With what is wrong with each, and whether a person let it go on after that. */
  links: (Link & { fault?: string; accepted?: true })[]
  /** Keys that may sign what comes next; none where there is no checkpoint. */
  keys: ReadonlySet<string>
  /** What people accepted, for ever. */
  gaps: Gap[]
}

export interface Gap {
  number: number
  remembered: Link | null
  found: Link | null
  acceptedBy: string
  reason: string
}

const NO_FORM = 'it does not have the form of a checkpoint'

/**
 * Follows the checkpoints of a store in their order, as somebody sees them who trusts one key. All that comes before a checkpoint of that key is vouched for by it, since
 * each names the hash of the one before; what comes after is signed by keys that a trusted one introduced.
 */
export function followChain(documents: readonly { number: number; document: unknown }[], trusted: string): ChainVerdict {
  const read = documents.map(({ number, document }) => ({ number, document: readDocument(document) }))
  const vouched = read.findLastIndex(({ document }) => document?.publicKey === trusted && isWhole(document))
  const keys = new Set<string>()
  const gaps: Gap[] = []
  let before: { number: number; document: Checkpoint | undefined } | undefined
  const links = read.map((one, index) => {
    const { number, document } = one
    const gap = gapOf(document)
    if (gap) gaps.push({ number, ...gap })
    // The first key is vouched for by the trusted one, and so is one that a person began anew with.
    if (document && (before === undefined || gap) && index <= vouched) keys.add(document.publicKey)
    const fault = document ? faultOf(number, document, before, keys) : NO_FORM
    if (document && isChained(document) && fault === undefined) {
      for (const key of document.introduces) keys.add(key)
      for (const key of document.retires) keys.delete(key)
    }
    before = one
    return { number, hash: document?.hash ?? '', ...(fault !== undefined && { fault }) }
  })
  const lastGap = read.findLastIndex(({ document }, index) => index <= vouched && gapOf(document) !== null)
  return {
    links: links.map((link, index) => (index < lastGap && link.fault !== undefined ? { ...link, accepted: true } : link)),
    keys,
    gaps,
  }
}

/** The first format knows neither keys, nor lines, nor gaps. */
export const isChained = (document: Checkpoint): document is Exclude<Checkpoint, { format: 'nightshift-checkpoint/1' }> =>
  document.format !== 'nightshift-checkpoint/1'

const gapOf = (document: Checkpoint | undefined) => (document && isChained(document) ? document.gap : null)

/** That it says itself what was signed. */
export function isWhole({ hash, signature, ...about }: Checkpoint): boolean {
  return hash === sha256Hex(canonicalText(about)) && isSignedBy(about.publicKey, hash, signature)
}

function faultOf(
  number: number,
  document: Checkpoint,
  before: { number: number; document: Checkpoint | undefined } | undefined,
  keys: ReadonlySet<string>,
): string | undefined {
  const expected = (before?.number ?? 0) + 1
  const gap = gapOf(document)
  // A gap goes on after both: after what the store had, and after what was signed and is lost.
  const due = gap ? Math.max(expected, (gap.remembered?.number ?? 0) + 1) : expected
  if (document.number !== number || number !== due) return 'checkpoints are missing before it'
  // A program of an earlier version cannot read the one before and names none.
  const isOlder = !isChained(document) && before?.document !== undefined && isChained(before.document)
  if (document.previous !== (before ? (before.document?.hash ?? '') : GENESIS) && !(isOlder && document.previous === ''))
    return 'it does not follow the one before it'
  if (!isWhole(document)) return 'it was changed, or its signature does not fit'
  if (!keys.has(document.publicKey)) return `it is signed with the key ${keyIdOf(document.publicKey)}, which nothing before it introduces`
  return undefined
}
