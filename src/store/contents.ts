// Results that are too large for a row, and what is no text: once for each digest, compressed. Each is written in a statement of its own, so that the rows of other runs do not
// wait for its bytes; the journal names it afterwards, under the fencing token.
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, brotliDecompress, constants } from 'node:zlib'
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import type { Content } from '../core/ports/journal.ts'
import type { KeptContent, ToolResult } from '../core/run.ts'
import { query, retryWhileUnavailable, type Db } from './postgres/db.ts'

// oxlint-disable-next-line waits/bounded -- no program: a thread of this process, whose work is bounded by its input
const compress = promisify(brotliCompress)
// oxlint-disable-next-line waits/bounded -- the same, and by `maxOutputLength`
const decompress = promisify(brotliDecompress)
/** A table of 16 MB in about a fifth of a second. */
const QUALITY = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }
/** So many are compressed, sent or unpacked at a time: each takes a few times its size in memory. */
const AT_ONCE = 2
/** Of what was kept or read last, over all runs of the process: pages of one result are read one after the other. */
const CACHE_BYTES = 67_108_864

/** Says that a run names it; false when it is not there. */
export async function touchContent(db: Db, digest: string): Promise<boolean> {
  const rows = await query(db, `update result_contents set named_at = now() where digest = $1 returning 1`, [digest], 'touch content')
  return rows.length > 0
}

export async function insertContent(
  db: Db,
  { digest, bytes, mediaType, encoding, content }: KeptContent & { mediaType: string; encoding: 'br' | 'identity'; content: Buffer },
): Promise<void> {
  await query(
    db,
    `insert into result_contents (digest, bytes, media_type, encoding, content) values ($1, $2, $3, $4, $5)
     on conflict (digest) do update set named_at = now()`,
    [digest, bytes, mediaType, encoding, content],
    'insert content',
  )
}

export interface StoredContent {
  mediaType: string
  content: Buffer
  /** It is what its digest says; else it was changed in the store. */
  intact: boolean
}

/** Undefined when it is not kept (any more). */
export async function loadContent(db: Db, digest: string): Promise<StoredContent | undefined> {
  const [row] = await query<Omit<StoredContent, 'intact'> & { bytes: number; encoding: string }>(
    db,
    `select bytes, media_type as "mediaType", encoding, content from result_contents where digest = $1`,
    [digest],
    'load content',
  )
  if (!row) return undefined
  const { mediaType, encoding, content: packed, bytes } = row
  const content = encoding === 'br' ? await decompress(packed, { maxOutputLength: Math.max(bytes, 1) }).catch(() => packed) : packed
  return { mediaType, content, intact: digestOf(content) === digest }
}

const digestOf = (content: Buffer) => createHash('sha256').update(content).digest('hex')

/** What a call of a run came to, by its place; of one that was made again, the last. */
export async function findResult(db: Db, runId: string, turn: number, position: number): Promise<ToolResult | undefined> {
  const [row] = await query<{ result: ToolResult | null }>(
    db,
    `select result from tool_calls where run_id = $1 and turn = $2 and position = $3 and result is not null order by started_at desc limit 1`,
    [runId, turn, position],
  )
  return row?.result ?? undefined
}

/** The content that a run refers to and whose digest begins so; undefined when there is none, or are several. */
export async function findContent(db: Db, runId: string, beginning: string): Promise<string | undefined> {
  const rows = await query<{ digest: string }>(
    db,
    `select digest from run_contents where run_id = $1 and starts_with(digest, $2) limit 2`,
    [runId, beginning],
  )
  return rows.length === 1 ? rows[0]?.digest : undefined
}

/** The contents of one process. Bounded: a few are worked on at a time, and few bytes stay in memory. */
export function createContents(db: Db) {
  const limited = pLimit(AT_ONCE)
  const cache = new LRUCache<string, Buffer>({ maxSize: CACHE_BYTES, sizeCalculation: ({ length }) => Math.max(length, 1) })
  return {
    /** Durable when it resolves. Not yet named by a run: who does not name it soon may find it removed. */
    keep: ({ content, mediaType }: Content): Promise<KeptContent> =>
      limited(async () => {
        const digest = digestOf(content)
        const bytes = content.length
        if (!(await retryWhileUnavailable(() => touchContent(db, digest)))) {
          const isText = mediaType.startsWith('text/')
          const packed = isText ? await compress(content, QUALITY) : content
          const row = { digest, bytes, mediaType, encoding: isText ? ('br' as const) : ('identity' as const), content: packed }
          await retryWhileUnavailable(() => insertContent(db, row))
        }
        cache.set(digest, content)
        return { digest, bytes }
      }),
    /** Undefined when it is not kept any more, or is not what its digest says. */
    async read(digest: string): Promise<Buffer | undefined> {
      return (
        cache.get(digest) ??
        limited(async () => {
          const known = cache.get(digest)
          if (known) return known
          const stored = await retryWhileUnavailable(() => loadContent(db, digest))
          if (!stored?.intact) return undefined
          cache.set(digest, stored.content)
          return stored.content
        })
      )
    },
  }
}
