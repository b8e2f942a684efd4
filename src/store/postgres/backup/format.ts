import pg from 'pg'
// A backup is the text that pg_dump writes of rows, packed with zstd: a line about the whole, for each table a line about it and its rows as COPY gives them, and a line
// at the end without which it is not whole. Its lines about itself are SQL comments.
import { z } from 'zod'
import { parseJson } from '../../../lib/json/parse.ts'

const name = z.string().min(1).max(63)
const count = z.int().min(0)

const headSchema = z.strictObject({
  format: z.literal(1),
  /** The version of Nightshift that wrote it. */
  program: z.string().max(100),
  /** The latest migration that the store had. */
  schema: z.int().min(1),
  takenAt: z.iso.datetime(),
})
const tableSchema = z.strictObject({ name, columns: z.array(name).min(1).max(1000) })
const endSchema = z.strictObject({
  /** Rows of each table. */
  rows: z.record(name, count),
  /** What the numbers of a table go on after, by table and column. */
  sequences: z.array(z.strictObject({ table: name, column: name, last: count })),
})

/** What a backup says of itself before its rows. */
export type BackupHead = z.output<typeof headSchema>
/** A table of which rows follow. */
export type BackupTable = z.output<typeof tableSchema>
export type BackupEnd = z.output<typeof endSchema>

const HEAD = '-- nightshift backup '
const TABLE = '-- table '
const END = '-- end '
/** After the rows of a table. */
export const LAST_ROW = '\\.'

/** The statement that gives or takes the rows of a table. */
export const copyOf = ({ name: table, columns }: BackupTable, way: 'to stdout' | 'from stdin'): string =>
  `copy ${pg.escapeIdentifier(table)} (${columns.map((column) => pg.escapeIdentifier(column)).join(', ')}) ${way}`

export const headLine = (head: BackupHead): string => `${HEAD}${JSON.stringify(head)}\n`
/** Two lines: about the table, and the statement as psql takes it. */
export const tableLines = (table: BackupTable): string => `${TABLE}${JSON.stringify(table)}\n${copyOf(table, 'from stdin')};\n`
export const endLine = (end: BackupEnd): string => `${END}${JSON.stringify(end)}\n`

/** What is wrong with a file that is no whole backup. */
export class BackupFault extends Error {}

function read<T>(line: string, prefix: string, schema: z.ZodType<T>): T | undefined {
  if (!line.startsWith(prefix)) return undefined
  try {
    return schema.parse(parseJson(line.slice(prefix.length)))
  } catch (cause) {
    throw new BackupFault(`its line "${line.slice(0, 60)}…" cannot be read`, { cause })
  }
}

/** The first line. Throws a `BackupFault` for any other. */
export function readHead(line: string): BackupHead {
  const head = read(line, HEAD, headSchema)
  if (!head) throw new BackupFault('it does not begin as a backup of Nightshift does')
  return head
}

/** A line about a table, or the one at the end. Throws a `BackupFault` for any other. */
export function readMark(line: string): { table: BackupTable } | { end: BackupEnd } {
  const table = read(line, TABLE, tableSchema)
  if (table) return { table }
  const end = read(line, END, endSchema)
  if (end) return { end }
  throw new BackupFault(`its line "${line.slice(0, 60)}" is none that a backup has`)
}
