// @ts-nocheck
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const caseSchema = z.object({
  name: z.string(),
  note: z.string().optional(),
  request: z.object({
    method: z.enum(['GET', 'POST', 'DELETE']),
    url: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.string().transform(uncut).optional(),
  }),
  /** Missing: the client gave up waiting. */
  response: z.object({ status: z.number(), headers: z.record(z.string(), z.string()), body: z.string() }).optional(),
  authorizeLog: z.array(z.record(z.string(), z.unknown())).optional(),
  /** How the exchange broke off, as the recording client saw it. */
  error: z.string().optional(),
})

/** One request to a real Pomerium, its answer and its authorize lines. */
export type RecordedCase = z.output<typeof caseSchema>

const file = join(import.meta.dirname, '../../fixtures/pomerium-recordings.json')

export const recordedCases = z.object({ http: z.array(caseSchema) }).parse(JSON.parse(readFileSync(file, 'utf8'))).http

/** Long request bodies were cut in the recording; each ended in a tool argument made of one letter. */
function uncut(body: string): string {
  const [, head = '', bytes] = /^(.*)…\((\d+) bytes\)$/s.exec(body) ?? []
  if (bytes === undefined) return body
  const tail = '"}}}'
  return `${head.padEnd(Number(bytes) - tail.length, head.at(-1))}${tail}`
}

const rpcSchema = z.object({ method: z.string(), params: z.object({ name: z.string().optional() }).optional() })

/** The JSON-RPC method of a recorded request, and the tool when it is a call. */
export function recordedRpc({ request }: RecordedCase): { method: string | undefined; tool: string | undefined } {
  const parsed = rpcSchema.safeParse(parseJson(request.body ?? ''))
  if (!parsed.success) return { method: undefined, tool: undefined }
  const { method, params } = parsed.data
  return { method, tool: method === 'tools/call' ? params?.name : undefined }
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
