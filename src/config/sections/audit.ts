import { z } from 'zod'
import { duration } from '../../lib/duration.ts'
import { readableBySchema } from '../../lib/files/readable-by.ts'

/** A request of another program that shares an account. */
const expectedSchema = z
  .strictObject({
    account: z.string().describe('The shared account.'),
    host: z.string().optional().describe('Host of the route.'),
    path: z.string().optional().describe('Path of the request.'),
    ip: z.string().optional().describe('Address that the request comes from.'),
    tool: z.string().optional().describe('Tool that is called.'),
  })
  .refine(
    ({ account: _account, ...about }) => Object.values(about).some((value) => value !== undefined),
    'would hide every line of the account; name a host, path, ip or tool',
  )

/** How lines of Pomerium's log are read and joined. */
export const auditSchema = z
  .strictObject({
    gracePeriod: duration('1ms')
      .prefault('30s')
      .describe('How long after its line a request may become known to us before the line counts as unexplained.'),
    paramsMaxBytes: z
      .int()
      .min(0)
      .max(1_048_576)
      .default(2048)
      .describe('Most bytes of a call’s parameters that are kept beside their digest; 0 keeps the digest alone.'),
    expected: z.array(expectedSchema).default([]).describe('Requests of other programs that share an account: they are not unexplained.'),
  })
  .prefault({})
  .describe('How Pomerium’s log is read and joined.')

/** Where alarms go: a name under `webhooks`. */
export const alertsSchema = z
  .strictObject({
    webhook: z.string().describe('Name under webhooks:.'),
    checkpoints: z.boolean().default(false).describe('Each checkpoint is sent too, so that one is kept outside without anybody’s doing.'),
  })
  .optional()
  .describe('Where alarms about unexplained lines go.')

/** The key that signs exported evidence. */
export const evidenceSchema = z
  .strictObject({
    keyFile: z
      .string()
      .default('')
      .describe(
        'Ed25519 key that signs evidence, made by nightshift evidence key create; its public half is beside it in .pub. Without it, dataDir/evidence.key.',
      ),
    memoryFile: z
      .string()
      .default('')
      .describe(
        'Where number and hash of the checkpoint that was signed last are kept. It outlives the process, and nobody can write it who writes the store. Without it, beside the key in .last.',
      ),
    readableBy: readableBySchema
      .default('owner')
      .describe('Who can read exported files and checkpoints: owner alone (mode 0600), or also the group (0640).'),
  })
  .prefault({})
  .describe('Signed evidence.')
