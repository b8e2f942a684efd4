// The results of a conversation, each by its id, so that the model can read on in them: what is shown in one piece from memory, what is larger from the store. A replay fills it
// with the same results.
import type { Journal } from '../core/ports/journal.ts'
import type { KeptImage, KeptText } from '../core/run.ts'
import { createImageAllowance } from '../core/rules/reading/images.ts'
import { imagesLeftOut } from '../core/words/results.ts'
import type { ToldImage } from '../models/model.ts'

interface Known {
  /** What the model was told at once. */
  text: string
  kept: KeptText | undefined
  images: readonly KeptImage[]
  /** It is no error. */
  isOk: boolean
  /** What an answer may rest on: no words of ours. */
  isContent: boolean
}

/** A result that was shown in part. */
export interface InPart {
  id: string
  server: string
  tool: string
}

export type Results = ReturnType<typeof createResults>

export function createResults(journal: Pick<Journal, 'readContent'>) {
  const allowance = createImageAllowance()
  const known = new Map<string, Known>()
  /** Those of which no more was read, and whose tool gave nothing after them. */
  const unread = new Map<string, InPart>()
  const wholeOf = async ({ text, kept }: Pick<Known, 'text' | 'kept'>) =>
    kept ? (await journal.readContent(kept.digest))?.toString() : text
  return {
    note({ id, server, tool, ...one }: Known & InPart): void {
      known.set(id, one)
      if (server === '') return
      if (one.isOk) for (const [other, before] of unread) if (before.server === server && before.tool === tool) unread.delete(other)
      if (one.kept) unread.set(id, { id, server, tool })
    },
    ids: (): string[] => [...known.keys()],
    has: (id: string): boolean => known.has(id),
    /** The whole text of a result, as far as it is kept; undefined when it is not there any more. */
    async read(id: string): Promise<string | undefined> {
      const one = known.get(id)
      return one && wholeOf(one)
    },
    /** What images came with it. */
    imagesOf: (id: string): readonly KeptImage[] => known.get(id)?.images ?? [],
    /** More of it was read: now, or by an attempt before. */
    noteRead: (id: string): void => void unread.delete(id),
    /** Those that were shown in part, and no more. */
    unread: (): InPart[] => [...unread.values()],
    /** The texts of all that was kept, one after the other: no two are in memory for this. */
    async *kept(): AsyncGenerator<string> {
      for (const one of known.values()) {
        const text = one.kept && one.isOk && one.isContent ? await wholeOf(one) : undefined
        if (text !== undefined) yield text
      }
    },
    /** The images of a result, as a model is given them, and a note on those that it is not. */
    async images(all: readonly KeptImage[]): Promise<{ images: ToldImage[]; note: string | undefined }> {
      const images = allowance.take(all)
      const note = images.length < all.length ? imagesLeftOut(all.length - images.length) : undefined
      const read = images.map(async ({ digest, mediaType }) => ({
        mediaType,
        data: (await journal.readContent(digest))?.toString('base64'),
      }))
      return { images: (await Promise.all(read)).flatMap(({ mediaType, data }) => (data === undefined ? [] : [{ mediaType, data }])), note }
    },
  }
}
