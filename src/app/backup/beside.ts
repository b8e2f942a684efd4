import { publicKeyFile } from '../../audit/evidence/keys.ts'
import type { Config } from '../../config/load.ts'

/** What goes with a store and is in no backup of it: the key of evidence, its public half, and what it signed last. */
export const keyFiles = ({ keyFile, memoryFile }: Config['evidence']): string[] => [keyFile, publicKeyFile(keyFile), memoryFile]
