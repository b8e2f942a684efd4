import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createZstdDecompress } from 'node:zlib'
import { Failure, messageOf } from '../../../core/failure.ts'
import { untilAborted } from '../../../lib/net/until-aborted.ts'
import { BackupFault, readHead, type BackupHead } from './format.ts'
import { endOnSilence, type Silence } from './session.ts'
import { createText, type BackupText } from './text.ts'

/** A backup whose first line was read. */
export interface OpenBackup {
  head: BackupHead
  /** The rest of it, until the signal of `silence`. */
  text: BackupText
  silence: Silence
}

/** Reads a file as a backup, in `work`. `COMMAND_INVALID` when it is none, is cut off or damaged, or cannot be read; then nothing of it may stay anywhere. */
export async function withBackup<T>(file: string, signal: AbortSignal, work: (backup: OpenBackup) => Promise<T>): Promise<T> {
  using silence = endOnSilence(signal)
  const packed = createReadStream(file)
  const source = pipeline(packed, createZstdDecompress(), () => {})
  let broken: unknown
  source.on('error', (error) => (broken = error))
  try {
    const text = createText(untilAborted<Buffer>(source, silence.signal))
    const line = await text.line()
    return await work({ head: readHead(line ?? ''), text, silence })
  } catch (error) {
    if (!(error instanceof BackupFault) && broken === undefined) throw error
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `${file} is not a whole backup: ${messageOf(broken ?? error)}. Nothing was restored.`,
      cure: 'Name a file that nightshift backup wrote, as it wrote it. What pg_dump wrote goes into a Postgres of your own with pg_restore.',
      cause: error,
    })
  } finally {
    packed.destroy()
    source.destroy()
  }
}
