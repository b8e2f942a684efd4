// @ts-nocheck
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { query, type Db } from '../../../src/store/postgres/db.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures')

const requestsSchema = z.array(
  z.object({
    requestIdSent: z.string(),
    requestId: z.string(),
    account: z.string(),
    host: z.string(),
    rpcMethod: z.string().nullable(),
    runId: z.string().nullable(),
    status: z.number(),
  }),
)
const fieldsSchema = z.looseObject({ message: z.string(), 'request-id': z.string().optional(), method: z.string().optional() })

const unpacked = (name: string) => gunzipSync(readFileSync(join(FIXTURES, name))).toString()

export type SampleRequest = z.output<typeof requestsSchema>[number] & { method: string }

/** The authorize lines of a live gateway's log. */
export const sampleLines: string[] = unpacked('pomerium-log-sample.jsonl.gz')
  .split('\n')
  .filter((line) => line.includes('"authorize check"'))

const methods = new Map(
  sampleLines.map((line) => {
    const fields = fieldsSchema.parse(JSON.parse(line))
    return [fields['request-id'] ?? '', fields.method ?? '']
  }),
)

/** What its clients sent: one request for each line. */
export const sampleRequests: SampleRequest[] = requestsSchema
  .parse(JSON.parse(unpacked('pomerium-log-sample.requests.json.gz')))
  .map((request) => ({ ...request, method: methods.get(request.requestId) ?? '' }))

/** Writes requests as if a worker had sent them. */
export async function writeRequests(db: Db, requests: readonly SampleRequest[]): Promise<void> {
  await query(
    db,
    `insert into gateway_requests (request_id_sent, request_id, account, account_id, method, host, path, rpc_method, request_bytes, sent_at, status)
     select sent, returned, 'reports', account, method, host, '/mcp', rpc, 0, '2026-11-23T09:35:03Z', status
     from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[]) as r(sent, returned, account, method, host, rpc, status)`,
    [
      requests.map((r) => r.requestIdSent),
      requests.map((r) => r.requestId),
      requests.map((r) => r.account),
      requests.map((r) => r.method),
      requests.map((r) => r.host),
      requests.map((r) => r.rpcMethod),
      requests.map((r) => r.status),
    ],
  )
}
