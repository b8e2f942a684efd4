import { createHash } from 'node:crypto'

/** A neighbour on the way from a leaf to the root, in hexadecimal, by the side on which it is. */
export type TreeStep = { left: string } | { right: string }

const sha256 = (prefix: number, ...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256').update(Uint8Array.of(prefix))
  for (const part of parts) hash.update(part)
  return hash.digest()
}

const leafHash = (text: string) => sha256(0, Buffer.from(text))
const nodeHash = (left: Uint8Array, right: Uint8Array) => sha256(1, left, right)

/** The level above: a node without a neighbour goes up as it is, which is the split of RFC 6962 at the largest power of two. */
function above(level: readonly Buffer[]): Buffer[] {
  const up: Buffer[] = []
  for (let at = 0; at < level.length; at += 2) {
    const [left, right] = [level[at], level[at + 1]]
    if (left) up.push(right ? nodeHash(left, right) : left)
  }
  return up
}

/** The root of a Merkle tree over texts (RFC 6962, SHA-256), in hexadecimal. */
export function treeRoot(leaves: readonly string[]): string {
  let level = leaves.map(leafHash)
  while (level.length > 1) level = above(level)
  return (level[0] ?? createHash('sha256').digest()).toString('hex')
}

/** The neighbours with which the leaf at `index` gives the root, from below. */
export function treePath(leaves: readonly string[], index: number): TreeStep[] {
  const path: TreeStep[] = []
  let level = leaves.map(leafHash)
  for (let at = index; level.length > 1; at >>= 1) {
    const neighbour = level[at ^ 1]?.toString('hex')
    if (neighbour !== undefined) path.push(at % 2 === 1 ? { left: neighbour } : { right: neighbour })
    level = above(level)
  }
  return path
}

/** The root that a leaf gives with its path. */
export function rootOfPath(leaf: string, path: readonly TreeStep[]): string {
  const root = path.reduce(
    (at, step) => ('left' in step ? nodeHash(Buffer.from(step.left, 'hex'), at) : nodeHash(at, Buffer.from(step.right, 'hex'))),
    leafHash(leaf),
  )
  return root.toString('hex')
}
