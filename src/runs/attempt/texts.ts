import { occasionOf } from '../../core/rules/fires.ts'
import { periodOf } from '../../core/rules/period.ts'
import { renderTemplate } from '../../jobs/template/render.ts'
import type { TemplateScope } from '../../jobs/template/scope.ts'
import { previousFire } from '../../lib/time/cron.ts'
import type { Texts } from '../../store/attempts/history.ts'
import type { AttemptInput } from './input.ts'

type TextsInput = Pick<AttemptInput, 'opened' | 'definition' | 'lastGreen'>

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

/** The texts of a conversation that begins. */
export function renderTexts(input: TextsInput): Texts {
  const { prompt, instructions } = input.definition
  const scope = scopeOf(input, new Date())
  return {
    prompt: renderTemplate(prompt, scope),
    instructions: instructions === undefined ? undefined : renderTemplate(instructions, scope),
  }
}
