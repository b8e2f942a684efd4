import type { PromptRecord } from '../../core/ports/journal.ts'
import { occasionOf } from '../../core/rules/schedules/fires.ts'
import { periodOf } from '../../core/rules/schedules/period.ts'
import { CONTRACT_VERSION, HOSTED_CONTRACT, LOCAL_CONTRACT } from '../../core/words/contract.ts'
import { factsText } from '../../core/words/facts.ts'
import { renderTemplate } from '../../jobs/template/render.ts'
import type { TemplateScope } from '../../jobs/template/scope.ts'
import { previousFire } from '../../lib/time/cron.ts'
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

/** What the model is asked in a conversation that begins: our contract and facts, then the author's words. */
export function renderTexts(input: TextsInput, output: OutputCheck | undefined): PromptRecord {
  const { opened, definition } = input
  const scope = scopeOf(input, input.now ?? new Date())
  const prompt = renderTemplate(definition.prompt, scope)
  const own = definition.instructions === undefined ? null : renderTemplate(definition.instructions, scope)
  const form = formInWords(output, definition) ?? null
  if (definition.contract === 'none') return { prompt, instructions: joined([own, form]), contract: null }
  const contract = definition.delegate === 'local' ? LOCAL_CONTRACT : HOSTED_CONTRACT
  const { turns, toolCalls, deadline } = definition.limits
  const facts = factsText({
    ...scope,
    occasion: scope.trigger,
    fireAt: opened.trigger.kind === 'schedule' ? scope.fireTime : undefined,
    turns,
    toolCalls,
    deadline,
  })
  return {
    prompt: `${facts}\n\n${prompt}`,
    instructions: joined([contract, own, form]),
    contract: CONTRACT_VERSION,
  }
}

function joined(parts: readonly (string | null)[]): string | null {
  const said = parts.filter((part) => part !== null)
  return said.length === 0 ? null : said.join('\n\n')
}
