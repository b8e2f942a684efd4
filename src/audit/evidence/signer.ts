import { existsSync } from 'node:fs'
import { openSigningKey, type SigningKey } from './keys.ts'
import { writeMemory, type Link } from './memory.ts'

/** Who signs checkpoints: a key, and what it remembers beside the store that it watches. */
export interface Signer extends SigningKey {
  memoryFile: string
}

/** Where a signer is kept. */
export interface SignerFiles {
  keyFile: string
  memoryFile: string
}

export const openSigner = ({ keyFile, memoryFile }: SignerFiles): Signer => ({ ...openSigningKey(keyFile), memoryFile })

/** Remembers a checkpoint before the store is given it; the one that was in the store last stays beside it until it is known what became of this. */
export function rememberNext({ memoryFile }: Signer, next: Link, store: Link | null): void {
  writeMemory(memoryFile, { last: store, next })
}

/** Remembers that the store has it. */
export function rememberKept({ memoryFile }: Signer, last: Link): void {
  writeMemory(memoryFile, { last, next: null })
}

/** Says that nothing was signed yet, where nothing is remembered. */
export function beginMemory({ memoryFile }: SignerFiles): void {
  if (!existsSync(memoryFile)) writeMemory(memoryFile, { last: null, next: null })
}
