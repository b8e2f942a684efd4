import { z } from 'zod'
import { parseDoubles, tryParse } from '../../../lib/json/parse.ts'
import { loadContent } from '../../../store/contents.ts'
import type { Db } from '../../../store/postgres/db.ts'
import type { TextRow } from '../../../store/audit/signed-rows.ts'

const kept = z.object({ digest: z.string() })
const resultSchema = z.object({ kept: kept.optional(), images: z.array(kept).optional() })

/** Whether what is kept of results is what the rows of their calls, which are signed, say by its digest. Each is looked at once: many runs may name it. */
export function createContentCheck(db: Db) {
  const sound = new Set<string>()
  return async function faultOf(calls: readonly TextRow[]): Promise<string | undefined> {
    for (const digest of calls.flatMap(digestsIn)) {
      if (sound.has(digest)) continue
      const content = await loadContent(db, digest)
      if (!content?.intact) return `names the result ${digest}, ${content ? 'which was changed' : 'which is gone'}`
      sound.add(digest)
    }
    return undefined
  }
}

function digestsIn({ result }: TextRow): string[] {
  const read = resultSchema.safeParse(tryParse(result ?? 'null', parseDoubles)).data
  return [...(read?.kept ? [read.kept] : []), ...(read?.images ?? [])].map(({ digest }) => digest)
}
