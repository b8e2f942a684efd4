import { z } from 'zod'
import { textOrFile } from '../../lib/files/text-or-file.ts'
import { httpUrl } from '../../lib/net/url.ts'
import { concurrency } from './values.ts'

const accountSchema = z
  .strictObject({
    token: z.string().optional().describe('The token itself, from a variable: ${REPORTS_TOKEN}.'),
    tokenFile: z.string().optional().describe('File with the token; re-read when it changes.'),
    concurrency: concurrency.optional().describe('Most runs at a time as this account, over all workers.'),
    perRun: z
      .boolean()
      .default(false)
      .describe('Each run gets an account of its own, of the same user, that dies with it. Needs minter: { socket }.'),
  })
  .superRefine(textOrFile('token', 'tokenFile', 'token: "${NAME}", where NAME is an environment variable that you set'))

/** Service accounts by the name that jobs use. */
export const accountsSchema = z
  .record(z.string(), accountSchema)
  .describe('Service accounts by the name that jobs use. Each has token or tokenFile.')

/** Pomerium's gRPC address and master key, for the command that makes accounts. */
export const adminSchema = z
  .strictObject({
    url: httpUrl.describe('Pomerium’s gRPC address.'),
    sharedSecretFile: z.string().describe('File with Pomerium’s shared secret, its master key.'),
    caFile: z.string().optional().describe('PEM file of the CA that signed the certificate of that address.'),
  })
  .optional()
  .describe('For nightshift account only. Leave it out of the workers’ configuration.')

/** Where the process listens that makes accounts for single runs. */
export const minterSchema = z
  .strictObject({ socket: z.string().describe('Unix socket of nightshift minter.') })
  .optional()
  .describe('Who makes the accounts of single runs.')
