import { redactTexts } from '../lib/redact.ts'
import type { HostedEvent } from './hosted.ts'
import type { ModelTurn } from './model.ts'

type Redact = (text: string) => string

/** A value of the same shape: only texts in it differ. */
const redacted = <T>(value: T, redact: Redact): T =>
  // oxlint-disable-next-line no-unsafe-type-assertion -- texts become texts, and nothing else changes
  redactTexts(value, redact) as T

/** What a model said, without secrets, whichever field it put them in. */
export const redactTurn = (turn: ModelTurn, redact: Redact): ModelTurn => redacted(turn, redact)

/** The events of a hosted answer, without secrets. */
export async function* redactEvents(events: AsyncIterable<HostedEvent>, redact: Redact): AsyncIterable<HostedEvent> {
  // oxlint-disable-next-line waits/bounded -- whoever gives the stream ends it (hosted/client.ts)
  for await (const event of events) {
    const told = redacted(event, redact)
    if (told.kind !== 'answer') yield told
    else {
      const { answer } = told
      yield { ...told, answer: { ...answer, turn: () => redactTurn(answer.turn(), redact) } }
    }
  }
}
