import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { duration } from '../lib/duration.ts'
import { httpUrl } from '../lib/net/url.ts'
import { Failure, messageOf } from '../core/failure.ts'
import { parseYaml, showIssue } from '../lib/yaml/file.ts'

/** The format of the minter’s own configuration file. */
export const minterSchema = z.strictObject({
  socket: z.string().describe('Unix socket where workers connect: minter: { socket } of their configuration.'),
  workerUid: z
    .int()
    .min(0)
    .max(4_294_967_294)
    .optional()
    .describe(
      'The workers’ user id: owner of the socket, which nobody else but root can open. Needs CAP_CHOWN when the minter is not root.',
    ),
  url: httpUrl.describe('Pomerium’s gRPC address.'),
  sharedSecretFile: z.string().describe('File with Pomerium’s shared secret, in base64 as in Pomerium’s configuration.'),
  caFile: z.string().optional().describe('PEM file of the CA that signed the certificate of that address.'),
  users: z.array(z.string().min(1)).min(1).describe('Users that accounts may be made for: those that the routes’ policies name.'),
  maxLifetime: duration('1s').describe('Longest life of an account; at least the longest limits.deadline of the jobs that use it.'),
  perMinute: z.int().min(1).max(10_000).describe('Most accounts in a minute.'),
})

/** Earlier spellings of keys, with the names they have now. They are read until the next version. */
const RENAMED = { worker_uid: 'workerUid', shared_secret_file: 'sharedSecretFile', ca_file: 'caFile', longest: 'maxLifetime' }

export interface MinterConfig extends z.output<typeof minterSchema> {
  /** Keys under an earlier name, a line each with file and line, for the log. */
  notes: readonly string[]
}

/** Reads the minter's own configuration: nothing of it stands in the workers'. Throws `CONFIG_INVALID`. */
export function loadMinterConfig(file: string): MinterConfig {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `The configuration of the minter cannot be read: ${messageOf(cause)}.`,
      cure: 'Name it: nightshift minter FILE. config/minter.yaml is an example.',
      cause,
    })
  }
  const parsed = parseYaml(text, minterSchema, { renamed: RENAMED })
  if (!parsed.ok)
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `The minter’s configuration has faults:\n  ${parsed.issues.map((issue) => showIssue(file, issue)).join('\n  ')}\n`,
    })
  const path = (value: string) => resolve(dirname(resolve(file)), value)
  const { socket, sharedSecretFile, caFile } = parsed.value
  return {
    ...parsed.value,
    notes: parsed.notes.map((note) => showIssue(file, note)),
    socket: path(socket),
    sharedSecretFile: path(sharedSecretFile),
    ...(caFile !== undefined && { caFile: path(caFile) }),
  }
}
