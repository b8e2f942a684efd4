import { existsSync } from 'node:fs'
import { createKey } from '../../../src/audit/evidence/rotation.ts'
import { openSigner, type Signer, type SignerFiles } from '../../../src/audit/evidence/signer.ts'

export const signerFiles = (keyFile: string): SignerFiles => ({ keyFile, memoryFile: `${keyFile}.last` })

/** The signer of a key file, which is made where it is not there. */
export function signerOf(keyFile: string): Signer {
  const files = signerFiles(keyFile)
  if (!existsSync(keyFile)) createKey(files)
  return openSigner(files)
}
