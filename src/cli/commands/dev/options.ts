import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { z } from 'zod'
import { Failure } from '../../../core/failure.ts'
import { DEV_FILE, parseServer, readDevSettings, type DevSettings } from '../../../dev/settings.ts'
import { collectInput } from '../../options/input.ts'
import type { Terminal } from '../../terminal/terminal.ts'

const NO_MODEL = 'echo'

export const devOptionsSchema = z.object({
  jobs: z.string().default('jobs'),
  mcp: z.array(z.string()).default([]),
  model: z.string().optional(),
  modelName: z.string().optional(),
  api: z.enum(['chat', 'responses']).optional(),
  input: z.record(z.string(), z.unknown()).default({}),
})

/** The options that both commands have. */
export const addDevOptions = (command: Command): Command =>
  command
    .option('--jobs <dir>', 'directory of the job files (default: jobs)')
    .option('--mcp <name=server...>', 'where a server of the jobs is: an address, or a command that serves MCP on its standard output')
    .option('-i, --input <key=value...>', 'input of the run', collectInput)

/** config/dev.yaml with the command line over it. Throws `COMMAND_INVALID` for what cannot be meant. */
export function devSettings(options: z.output<typeof devOptionsSchema>, terminal: Terminal): DevSettings {
  const file = join(DEV_FILE)
  const written = readDevSettings(file, terminal.env)
  const servers = { ...written.servers, ...Object.fromEntries(options.mcp.map(parseServer)) }
  if (!existsSync(options.jobs))
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `There is no directory ${options.jobs} with job files.`,
      cure: 'Name it with --jobs DIR, or write a first one with nightshift init.',
    })
  return { ...written, servers, model: modelOf(options, written.model, terminal) }
}

function modelOf(
  { model, modelName, api }: z.output<typeof devOptionsSchema>,
  written: DevSettings['model'],
  { env }: Terminal,
): DevSettings['model'] {
  if (model === NO_MODEL) return undefined
  const changes = { ...(modelName !== undefined && { name: modelName }), ...(api !== undefined && { api }) }
  if (model === undefined) return written && { ...written, ...changes }
  if (!/^https?:\/\//.test(model) || !URL.canParse(model))
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `--model ${model} is no address of a model server.`,
      cure: 'Write --model http://127.0.0.1:8080/v1, or leave it out for the echo model.',
    })
  const key = env['OPENAI_API_KEY']
  const isOpenai = new URL(model).hostname === 'api.openai.com'
  return { baseUrl: model, api: isOpenai ? 'responses' : 'chat', ...(key !== undefined && key !== '' && { apiKey: key }), ...changes }
}
