import { Failure } from '../core/failure.ts'
import type { ContextText } from '../core/words/context.ts'
import { showResult, type Showing } from '../core/words/results.ts'
import { wordsOf } from './content.ts'
import type { OpenServer } from './servers.ts'
import type { PromptAnswer, ReadAnswer } from './session/types.ts'

/** A resource or a prompt that the job wants read before its first turn. */
export interface WantedContext {
  server: string
  kind: 'resource' | 'prompt'
  /** URI of a resource, or name of a prompt. */
  name: string
  arguments: Record<string, string>
}

/**
 * Reads what a job wants the model to know from its servers, before the first turn. Undefined for a server that is optional and not there. Throws a `Failure` when it
 * cannot be read.
 */
export async function readContext(
  servers: readonly OpenServer[],
  { server, kind, name, arguments: args }: WantedContext,
  showing: Showing,
  signal: AbortSignal,
): Promise<ContextText | undefined> {
  const open = servers.find(({ spec }) => spec.name === server)
  if (!open) return undefined
  const answer = await open.inSession<ReadAnswer | PromptAnswer>((session) =>
    kind === 'resource' ? session.read(name, { signal }) : session.prompt(name, args, { signal }),
  )
  if (answer.kind === 'rpc-error') {
    const said = showing.redact(answer.message.toWellFormed()).slice(0, 300)
    throw new Failure({
      code: 'UPSTREAM_ERROR',
      message: `${server} does not give the ${kind} ${name} that context: names: ${said}.`,
      server,
    })
  }
  return { kind, name, server, text: showResult(answer.kind === 'text' ? answer.text : wordsOf(answer.blocks), showing).text }
}
