// What `nightshift dev` and `nightshift test` are told: by config/dev.yaml, and by the command line over it.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { substitute, type Environment } from '../config/environment.ts'
import { Failure } from '../core/failure.ts'
import { httpUrl } from '../lib/net/url.ts'
import { nameText } from '../lib/name.ts'
import { parseYaml, showIssue } from '../lib/yaml/file.ts'

export const DEV_FILE = 'config/dev.yaml'

const commandSchema = z.strictObject({
  command: z.string().min(1).describe('Program that serves MCP on its standard input and output.'),
  args: z.array(z.string()).default([]).describe('Its arguments.'),
  env: z.record(z.string(), z.string()).default({}).describe('Variables that it gets beside PATH, HOME and the like.'),
})

/** In one text, as `--mcp` takes it: an address, or a command and its arguments. */
const serverText = z.string().transform((text, context) => {
  const server = serverIn(text)
  if ('fault' in server) context.addIssue(server.fault)
  return 'fault' in server ? z.NEVER : server.value
})

const serverSchema = z.union([serverText, commandSchema], {
  error: 'must be an address (http://127.0.0.1:8000/mcp), a command (node server.js), or { command: node, args: [server.js] }',
})

const modelSchema = z.strictObject({
  baseUrl: httpUrl.describe('Address of a model server that is compatible with OpenAI’s.'),
  name: z.string().min(1).optional().describe('Its name of the model, in place of those of the jobs.'),
  api: z.enum(['chat', 'responses']).default('chat').describe('The API that it speaks.'),
  apiKey: z.string().optional().describe('Its key, from a variable: ${OPENAI_API_KEY}.'),
})

const devSchema = z.strictObject({
  servers: z.record(nameText, serverSchema).default({}).describe('MCP servers by the name that jobs use.'),
  model: modelSchema.optional().describe('The model that does the jobs. Without it, the echo model.'),
})

export type DevServer = z.output<typeof serverSchema>
export type DevModel = z.output<typeof modelSchema>

export interface DevSettings {
  servers: Readonly<Record<string, DevServer>>
  model: DevModel | undefined
  /** Where commands of servers run. */
  cwd: string
}

/** Reads the file, if it is there. `CONFIG_INVALID` names each fault with its line. */
export function readDevSettings(file: string, env: Environment): DevSettings {
  const cwd = dirname(dirname(resolve(file)))
  if (!existsSync(file)) return { servers: {}, model: undefined, cwd }
  const parsed = parseYaml(readFileSync(file, 'utf8'), devSchema, { substitute: (value) => substitute(value, env) })
  if (parsed.ok) return { ...parsed.value, model: parsed.value.model, cwd }
  throw new Failure({
    code: 'CONFIG_INVALID',
    message: `${file} cannot be used:\n  ${parsed.issues.map((issue) => showIssue(file, issue)).join('\n  ')}\n`,
  })
}

/** Reads `name=address`, or `name=command and its arguments`. Throws `COMMAND_INVALID`. */
export function parseServer(text: string): [name: string, server: DevServer] {
  const at = text.indexOf('=')
  const [name, rest] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1).trim()]
  const wrong = (why: string) =>
    new Failure({
      code: 'COMMAND_INVALID',
      message: `--mcp ${text} ${why}.`,
      cure: 'Write --mcp name=http://127.0.0.1:8000/mcp, or --mcp "name=node server.js".',
    })
  if (!nameText.safeParse(name).success) throw wrong('has no name of a server before the =')
  const server = serverIn(rest)
  if ('fault' in server) throw wrong(server.fault)
  return [name, server.value]
}

/** An address, or a command with its arguments between spaces: no shell reads it. */
function serverIn(text: string): { value: string | z.output<typeof commandSchema> } | { fault: string } {
  if (/^[a-z]+:\/\//i.test(text) || /^https?:/.test(text))
    return httpUrl.safeParse(text).success ? { value: text } : { fault: 'has an address that is none' }
  const [command, ...args] = text.trim().split(/\s+/)
  return command ? { value: { command, args, env: {} } } : { fault: 'names neither an address nor a command' }
}
