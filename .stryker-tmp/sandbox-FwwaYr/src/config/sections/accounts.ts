// @ts-nocheck
import { z } from 'zod'
import { httpUrl } from '../../lib/url.ts'
import { concurrency } from './values.ts'

const accountSchema = z
  .strictObject({
    token: z.string().optional().describe('The token itself, from a variable: ${REPORTS_TOKEN}.'),
    tokenFile: z.string().optional().describe('File with the token; re-read when it changes.'),
    concurrency: concurrency.optional(),
    perRun: z.boolean().default(false),
  })
  .refine((account) => (account.token === undefined) !== (account.tokenFile === undefined), 'needs exactly one of token and tokenFile')

/** Service accounts by the name that jobs use. */
export const accountsSchema = z.record(z.string(), accountSchema)

/** Pomerium's gRPC address and master key, for the command that makes accounts. */
export const adminSchema = z.strictObject({ url: httpUrl, sharedSecretFile: z.string(), caFile: z.string().optional() }).optional()

/** Where the process listens that makes accounts for single runs. */
export const minterSchema = z.strictObject({ socket: z.string() }).optional()
