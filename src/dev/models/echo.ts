// A model that needs no model: it looks at each tool that may be called twice without harm, once, and then makes up an answer of the right form.
import { ANSWER, OWN_SERVER } from '../../core/words/endings.ts'
import type { ModelTool } from '../../core/ports/toolbox.ts'
import type { TurnItem } from '../../core/run.ts'
import type { JobRegistry } from '../../jobs/registry.ts'
import type { JobDefinition } from '../../jobs/schema.ts'
import { isObject } from '../../lib/json/object.ts'
import { sampleOf } from '../../lib/schema/sample.ts'
import { matchesWildcard } from '../../lib/wildcard.ts'
import type { ModelRequest } from '../../models/model.ts'
import type { Provider } from '../../models/provider.ts'
import { noTokens, standIn } from './stand-in.ts'

/** Calls of one turn: a job's own limit may be lower, and then the rest is not made. */
const MOST_CALLS = 20
const MAX_SHOWN = 300

/** The definition of a job by its name, for `createEcho`. A file that was added a moment ago, and of which a run was asked for already, is read for it. */
export function definitionIn(registry: Pick<JobRegistry, 'jobs' | 'reload'>, name: string): JobDefinition | undefined {
  if (!registry.jobs().has(name)) registry.reload()
  return registry.jobs().get(name)?.definition
}

/** `jobOf`: the job that a request is for, by its name. */
export const createEcho = (jobOf: (name: string) => JobDefinition | undefined): Provider =>
  standIn(async (request, name) => ({
    items: say(request, jobOf(request.labels?.job ?? '')),
    stopReason: 'end',
    usage: { ...noTokens, inputTokens: 1, outputTokens: 1 },
    responseId: null,
    providerRequestId: null,
    model: `echo in place of ${name}`,
  }))

function say(request: ModelRequest, job: JobDefinition | undefined): TurnItem[] {
  const tried = triedOf(request, job)
  if (request.mayCall && request.exchanges.length === 0) {
    const calls = tried.flatMap(({ tool, args }) => (args === undefined ? [] : [callOf(tool.name, args, tool.name)]))
    if (calls.length > 0) return calls.slice(0, Math.min(MOST_CALLS, job?.limits.toolCalls ?? MOST_CALLS))
  }
  const schema = job?.output?.schema
  const answer = schema && sampleOf(schema, schema)
  const offered = request.tools.find(({ name }) => name === ANSWER.name)
  if (offered) return [callOf(ANSWER.name, sampleOf(offered.parameters, offered.parameters) ?? {}, `answer ${request.exchanges.length}`)]
  return [{ type: 'message', text: schema ? JSON.stringify(answer ?? null) : seen(request, tried) }]
}

const callOf = (name: string, args: unknown, id: string): TurnItem => ({
  type: 'tool_call',
  callId: `echo ${id}`,
  name,
  arguments: JSON.stringify(args),
})

/** A tool of a server, with arguments that fit its schema where it may be called and they can be made up. */
interface Tried {
  tool: ModelTool
  args: unknown
  why: string
}

function triedOf({ tools }: ModelRequest, job: JobDefinition | undefined): Tried[] {
  return tools.flatMap((tool) => {
    if (tool.name.startsWith(`${OWN_SERVER}__`)) return []
    if (!job)
      return [{ tool, args: undefined, why: 'not called: the file of the job is not there, so that nothing says what is repeatable' }]
    if (!isRepeatable(tool.name, job)) return [{ tool, args: undefined, why: 'not called: the job does not say that it is repeatable' }]
    const args = sampleOf(tool.parameters, tool.parameters) ?? (isObject(tool.parameters['properties']) ? undefined : {})
    return [{ tool, args, why: args === undefined ? 'not called: no arguments can be made up for its schema' : 'called' }]
  })
}

/** As the job says it; a name that was cut or made unique for the model is not looked for. */
function isRepeatable(name: string, job: JobDefinition | undefined): boolean {
  const plain = (text: string) => text.replaceAll(/[^A-Za-z0-9_*-]/gu, '_')
  return Object.entries(job?.tools ?? {}).some(([server, { repeatable }]) =>
    repeatable.some((pattern) => matchesWildcard(`${plain(server)}__${plain(pattern)}`, name)),
  )
}

function seen({ prompt, exchanges }: ModelRequest, tried: readonly Tried[]): string {
  const results = exchanges.flatMap((one) => one.results)
  const lines = tried.map(({ tool, why }) => {
    const result = results.find(({ callId }) => callId === `echo ${tool.name}`)
    return result ? `- ${tool.name} gave: ${result.text.slice(0, MAX_SHOWN)}` : `- ${tool.name}: ${why}`
  })
  return [`The prompt has ${prompt.length} characters.`, lines.length === 0 ? 'There are no tools.' : 'The tools:', ...lines].join('\n')
}
