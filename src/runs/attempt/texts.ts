import type { PromptRecord } from '../../core/ports/journal.ts'
import { occasionOf } from '../../core/rules/schedules/missed.ts'
import { periodOf } from '../../core/rules/schedules/period.ts'
import { contractVersion, HOSTED_CONTRACT, LOCAL_CONTRACT } from '../../core/words/contract.ts'
import { contextText, type ContextText } from '../../core/words/context.ts'
import { factsText } from '../../core/words/facts.ts'
import { introduceServers, type ServerWords } from '../../core/words/tools.ts'
import type { JobDefinition } from '../../jobs/schema.ts'
import type { ContextEntry } from '../../jobs/sections/context.ts'
import { renderTemplate } from '../../jobs/template/render.ts'
import type { TemplateScope } from '../../jobs/template/scope.ts'
import { previousFire } from '../../lib/time/cron.ts'
import type { WantedContext } from '../../mcp/context.ts'
import type { OutputCheck } from '../../models/model.ts'
import type { AttemptInput } from './input.ts'
import { formInWords } from './output.ts'

type TextsInput = Pick<AttemptInput, 'opened' | 'definition' | 'lastGreen' | 'now'>

/** When a run was due: its fire, or when it was asked for. */
export const fireTimeOf = ({ trigger, createdAt }: AttemptInput['opened']): Date =>
  trigger.kind === 'schedule' ? new Date(trigger.fireAt) : createdAt

/** What the job's texts know of this run. `now` is the first attempt's: later ones of the conversation take the texts that it wrote. */
export function scopeOf({ opened, definition, lastGreen }: TextsInput, now: Date): TemplateScope {
  const { schedule, timezone } = definition
  const fireTime = fireTimeOf(opened)
  const before = schedule && previousFire(schedule, fireTime)
  return {
    input: opened.input,
    job: opened.job,
    runId: opened.attempt.runId,
    fireTime,
    now,
    previousFire: before,
    period: schedule?.period && periodOf(schedule.period, { fireTime, timezone, since: lastGreen ?? before }),
    trigger: occasionOf(opened),
    timezone,
  }
}

/** What is told of a run before anything is asked of a server: the author's words, and ours where the job takes them. */
export interface RenderedTexts {
  prompt: string
  instructions: string | null
  /** Our contract, with what the configuration adds to it, and facts; undefined with `contract: none`. */
  ours: { contract: string; version: string; facts: string } | undefined
  /** Resources and prompts of servers that the job wants read, and texts of files: in the job's order. */
  context: (WantedContext | ContextText)[]
}

/** Renders what the job says; `own` is what the configuration adds to our contract. Throws a `Failure` when a template cannot be rendered. */
export function renderTexts(input: TextsInput, output: OutputCheck | undefined, own: string | undefined): RenderedTexts {
  const { opened, definition } = input
  const scope = scopeOf(input, input.now ?? new Date())
  const prompt = renderTemplate(definition.prompt, scope)
  const written = definition.instructions === undefined ? undefined : renderTemplate(definition.instructions, scope)
  const instructions = joined([written, formInWords(output)]) ?? null
  const context = definition.context.map((entry) => wantedContext(entry, definition, scope))
  if (definition.contract === 'none') return { prompt, instructions, ours: undefined, context }
  const { turns, toolCalls, deadline } = definition.limits
  const facts = factsText({
    ...scope,
    occasion: scope.trigger,
    fireAt: opened.trigger.kind === 'schedule' ? scope.fireTime : undefined,
    turns,
    toolCalls,
    deadline,
  })
  const standard = definition.delegate === 'local' ? LOCAL_CONTRACT : HOSTED_CONTRACT
  const contract = own === undefined ? standard : `${standard}\n\n${own}`
  return { prompt, instructions, ours: { contract, version: contractVersion(own), facts }, context }
}

function wantedContext(entry: ContextEntry, { tools }: JobDefinition, scope: TemplateScope): WantedContext | ContextText {
  const { file, resource, prompt, text = '' } = entry
  if (file !== undefined) return { kind: 'file', name: file, server: undefined, text }
  const server = entry.server ?? Object.keys(tools)[0] ?? ''
  const args = Object.entries(entry.arguments ?? {}).map(([name, template]) => [name, renderTemplate(template, scope)] as const)
  return resource === undefined
    ? { kind: 'prompt', name: prompt ?? '', server, arguments: Object.fromEntries(args) }
    : { kind: 'resource', name: resource, server, arguments: {} }
}

/**
 * What the model is told first in a conversation. In the instructions: our contract, the servers, the author's words. In the prompt: the facts, the context, the
 * author's prompt. With `contract: none`, of the servers only what the author says.
 */
export function joinTexts(
  { prompt, instructions, ours }: RenderedTexts,
  servers: readonly ServerWords[],
  context: readonly ContextText[],
): PromptRecord {
  const told = ours ? servers : servers.map(authorsWords)
  return {
    prompt: joined([ours?.facts, contextText(context), prompt]) ?? prompt,
    instructions: joined([ours?.contract, introduceServers(told), instructions ?? undefined]) ?? null,
    contract: ours?.version ?? null,
  }
}

function joined(parts: readonly (string | undefined)[]): string | undefined {
  const said = parts.filter((part) => part !== undefined)
  return said.length === 0 ? undefined : said.join('\n\n')
}

const authorsWords = ({ server, instructions, notes }: ServerWords): ServerWords => ({
  server,
  title: undefined,
  description: undefined,
  instructions: instructions?.by === 'job' ? instructions : undefined,
  notes,
})
