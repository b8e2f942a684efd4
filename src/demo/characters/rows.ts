import { z } from 'zod'

const rowsSchema = z.object({ rows: z.array(z.record(z.string(), z.union([z.string(), z.number()]))) })
export type Row = Record<string, string | number>

/** Rows of a query's result; none when the text holds none. */
export function rowsOf(text: string): Row[] {
  try {
    return rowsSchema.parse(JSON.parse(text)).rows
  } catch {
    return []
  }
}

/** A number of a row; 0 when it is not there. */
export const numberOf = (row: Row | undefined, column: string): number => Number(row?.[column] ?? 0)
export const textOf = (row: Row | undefined, column: string): string => String(row?.[column] ?? '')
