import type pg from 'pg'
import type { AuthorizeEvent } from '../../core/authorize-event.ts'
import { query, transaction, type Db } from '../postgres/db.ts'

/** An authorize event as it is kept. */
export interface NewEvent extends AuthorizeEvent {
  /** Which of several equal lines it is, from 1. */
  occurrence: number
}

export interface LogPosition {
  file: string
  inode: string
  byteOffset: number
  /** What was read last; undefined where a version before wrote the position. */
  tail?: { bytes: number; digest: string } | undefined
  /** Time of the last line that was read. */
  readUntil?: Date | undefined
}

const COLUMNS = [
  ['line_digest', 'text'], ['occurrence', 'int'], ['request_id', 'text'], ['time', 'timestamptz'], ['method', 'text'], ['host', 'text'], ['path', 'text'], ['ip', 'text'],
  ['user_id', 'text'], ['account_id', 'text'], ['mcp_method', 'text'], ['mcp_tool', 'text'], ['params_digest', 'text'], ['params', 'text'], ['run_header', 'text'],
  ['allowed', 'boolean'], ['reasons_json', 'text'],
] as const // prettier-ignore

const NAMES = COLUMNS.map(([name]) => name).join(', ')
const INSERT = `insert into authorize_events (${NAMES.replace('reasons_json', 'reasons')})
  select ${NAMES.replace('reasons_json', 'array(select jsonb_array_elements_text(reasons_json::jsonb))')} from unnest(${COLUMNS.map(([, type], i) => `$${i + 1}::${type}[]`).join(', ')}) as e(${NAMES})
  on conflict (line_digest, occurrence) do nothing`

/** Keeps events, and where the log was read up to, together. Events that are known are left as they are. Returns how many were new. */
export async function insertEvents(db: Db, events: readonly NewEvent[], position?: LogPosition): Promise<number> {
  return transaction(db, async (client) => {
    const added = events.length === 0 ? 0 : await insert(client, events)
    if (position) {
      await client.query(
        `insert into log_positions as p (file, inode, byte_offset, tail_bytes, tail_digest, read_until, tail_end) values ($1, $2, $3, $4, $5, $6, $3)
         on conflict (file) do update set inode = $2, byte_offset = $3, updated_at = now(), tail_bytes = $4, tail_digest = $5, tail_end = $3,
           read_until = coalesce($6, p.read_until)`,
        [
          position.file,
          position.inode,
          position.byteOffset,
          position.tail?.bytes ?? null,
          position.tail?.digest ?? null,
          position.readUntil ?? null,
        ],
      )
    }
    return added
  })
}

async function insert(client: pg.PoolClient, events: readonly NewEvent[]): Promise<number> {
  const columns: unknown[][] = [
    events.map((e) => e.lineDigest), events.map((e) => e.occurrence), events.map((e) => e.requestId), events.map((e) => e.time), events.map((e) => e.method),
    events.map((e) => e.host), events.map((e) => e.path), events.map((e) => e.ip), events.map((e) => e.userId), events.map((e) => e.accountId ?? null),
    events.map((e) => e.mcpMethod ?? null), events.map((e) => e.mcpTool ?? null), events.map((e) => e.paramsDigest ?? null), events.map((e) => e.params ?? null),
    events.map((e) => e.runHeader ?? null), events.map((e) => e.allowed), events.map((e) => JSON.stringify(e.reasons)),
  ] // prettier-ignore
  const { rowCount } = await client.query({ name: 'insert events', text: INSERT, values: columns })
  return rowCount ?? 0
}

export async function loadPosition(db: Db, file: string): Promise<LogPosition | undefined> {
  const [row] = await query<{ inode: string; byteOffset: number; bytes: number | null; digest: string | null; readUntil: Date }>(
    db,
    `select inode, byte_offset as "byteOffset", tail_bytes as bytes,
       case when tail_end = byte_offset then tail_digest end as digest, coalesce(read_until, updated_at) as "readUntil"
     from log_positions where file = $1`,
    [file],
  )
  if (!row) return undefined
  const { inode, byteOffset, bytes, digest, readUntil } = row
  return { file, inode, byteOffset, readUntil, tail: bytes === null || digest === null ? undefined : { bytes, digest } }
}
