import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { duration } from '../lib/duration.ts'
import { Failure, messageOf } from '../core/failure.ts'
import { parseYaml, showIssue } from '../lib/yaml-file.ts'

const minterSchema = z.strictObject({
  socket: z.string(),
  worker_uid: z.int().min(0).optional(),
  url: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }),
  shared_secret_file: z.string(),
  ca_file: z.string().optional(),
  users: z.array(z.string().min(1)).min(1),
  longest: duration,
  perMinute: z.int().min(1),
})

export type MinterConfig = z.output<typeof minterSchema>

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
  const parsed = parseYaml(text, minterSchema)
  if (!parsed.ok)
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `The minter’s configuration has faults:\n  ${parsed.issues.map((issue) => showIssue(file, issue)).join('\n  ')}\n`,
    })
  const path = (value: string) => resolve(dirname(resolve(file)), value)
  const { socket, shared_secret_file, ca_file } = parsed.value
  return {
    ...parsed.value,
    socket: path(socket),
    shared_secret_file: path(shared_secret_file),
    ...(ca_file !== undefined && { ca_file: path(ca_file) }),
  }
}
