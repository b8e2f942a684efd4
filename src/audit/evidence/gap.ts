import { Failure } from '../../core/failure.ts'
import { GENESIS } from '../../lib/hash/chain.ts'
import { keyIdOf } from '../../lib/hash/public-key.ts'
import { followChain, readDocument, type Checkpoint, type SignedNow } from './chain.ts'
import { readMemory, type Link } from './memory.ts'
import { rememberKept, type Signer } from './signer.ts'

/** A person who lets it go on although the store is not as it was signed. */
export interface AcceptedGap {
  acceptedBy: string
  reason: string
}

/** What a checkpoint is to follow. */
export interface Place {
  number: number
  previous: string
  gap: SignedNow['gap']
  /** Checkpoints of the store with which nothing is wrong. */
  sound: readonly Checkpoint[]
}

const nameOf = (link: Link | null) => (link ? `checkpoint ${link.number} (${link.hash.slice(0, 12)}…)` : 'no checkpoint')

/**
 * Where the next checkpoint goes: after the store's newest one, if the store still has the one that was signed last, and all after it are of keys that may sign.
 * `EVIDENCE_GAP` when not, unless a person accepts that, which the checkpoint then says for ever.
 */
export function placeOf(
  signer: Signer,
  documents: readonly { number: number; document: unknown }[],
  accepted: AcceptedGap | undefined,
): Place {
  const memory = readMemory(signer.memoryFile)
  const { links, keys } = followChain(documents, trustedOf(signer, documents))
  const newest = links.at(-1)
  const faulty = new Set(links.flatMap(({ number, fault }) => (fault === undefined ? [] : [number])))
  const sound = documents.flatMap(({ number, document }) => (faulty.has(number) ? [] : (readDocument(document) ?? [])))
  const found = newest ? { number: newest.number, hash: newest.hash } : null
  const remembered = memory?.last ?? null
  const why = gapOf()
  if (why === undefined) return { number: (found?.number ?? 0) + 1, previous: found?.hash ?? GENESIS, gap: null, sound }
  if (!accepted) throw new Failure({ code: 'EVIDENCE_GAP', message: `Nothing is signed: ${why}.` })
  return {
    number: Math.max(found?.number ?? 0, remembered?.number ?? 0) + 1,
    previous: newest?.hash ?? GENESIS,
    gap: { remembered, found, ...accepted },
    sound,
  }

  function gapOf(): string | undefined {
    // What was signed and never came to be in the store is no gap: nobody was told of it.
    const known = [memory?.last, memory?.next].filter((link) => link !== null && link !== undefined)
    const at = links.findLastIndex((link) => known.some(({ number, hash }) => link.number === number && link.hash === hash))
    if (remembered && at < 0)
      return `this signer’s last was ${nameOf(remembered)}, which the store does not have; its newest is ${nameOf(found)}`
    // It is known by now what became of it.
    const { next } = memory ?? {}
    if (next && links[at]?.hash === next.hash) rememberKept(signer, next)
    const bad = links.slice(remembered ? at : 0).find(({ fault, accepted: past }) => fault !== undefined && past === undefined)
    if (bad) return `checkpoint ${bad.number} of the store is not one to go on from: ${bad.fault}`
    if (links.length > 0 && !keys.has(signer.publicKey))
      return `the store’s checkpoints are of other keys, and none of them introduces this one (${keyIdOf(signer.publicKey)})`
    return undefined
  }
}

/** A key that has signed nothing yet begins with what it finds. */
function trustedOf({ publicKey }: Signer, documents: readonly { document: unknown }[]): string {
  const keys = documents.map(({ document }) => readDocument(document)?.publicKey)
  return keys.includes(publicKey) ? publicKey : (keys.findLast((key) => key !== undefined) ?? publicKey)
}
