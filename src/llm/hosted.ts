import { setTimeout as sleep } from 'node:timers/promises'
import type OpenAI from 'openai'
import { Failure } from '../core/failure.ts'
import { costOf } from '../core/price.ts'
import { addUsage, noUsage, type Reason, type Usage } from '../core/run.ts'
import { isGone, type HostedModel } from './hosted-client.ts'
import type { HostedOptions, KnownCall } from './hosted-options.ts'
import { createReader, Stopped, type Reader } from './hosted-reader.ts'
import { serverLabel } from './labels.ts'
import type { DelegateResult, Exchange } from './model.ts'
import { turnOf } from './responses.ts'
import { answerText, checkOutput, CUT, pastTurn, repairReply, takeTurn, unusable, type TakenTurn } from './turn.ts'

type Response = OpenAI.Responses.Response

const ATTACH_TRIES = 6
const ATTACH_BACKOFF_MS = 200

/** Lets the provider work through the servers, and writes what it does as if we had done it. */
export async function runHosted(options: HostedOptions, signal: AbortSignal): Promise<DelegateResult> {
  const usages: { usage: Usage; costUsd: number | null }[] = []
  const reasons: Reason[] = []
  const calls: KnownCall[] = []
  let exchanges: Exchange[] = []
  let turn: TakenTurn | undefined
  let repaired = false
  let last = false
  for (const past of options.history) {
    turn = pastTurn(past)
    usages.push(turn)
    if (past.forcedBy) reasons.push(past.forcedBy)
    last ||= past.forcedBy !== null
    repaired ||= usages.length > 1
    calls.push(...past.calls.map((call) => ({ ...call, text: call.result?.text ?? '' })))
    exchanges = [{ items: past.items, results: [] }]
  }
  let number = options.nextTurn
  if (!turn) {
    try {
      turn = await hostedTurn(options, calls, signal)
      number = turn.number + 1
      usages.push(turn)
      reasons.push(...overLimits(options, turn))
    } catch (error) {
      if (!(error instanceof Stopped)) throw error
      last = true
      reasons.push(error.reason)
      exchanges = [{ items: [], results: [], reply: soFar(calls) }]
      turn = await takeTurn(options, { exchanges, number: number + 1, tools: [], mayCall: false, forcedBy: error.reason }, signal)
      number = turn.number + 1
      usages.push(turn)
    }
  }
  for (;;) {
    const text = answerText(turn)
    const parsed = checkOutput(options, text)
    if (parsed.ok || repaired || last) {
      if (turn.stopReason === 'cut') reasons.push(CUT)
      if (!parsed.ok) reasons.push(unusable(text, parsed.why))
      reasons.push(...calls.flatMap(reasonOf))
      const total = usages.reduce((sum, { usage }) => addUsage(sum, usage), noUsage)
      const costUsd = options.price ? usages.reduce((sum, one) => sum + (one.costUsd ?? 0), 0) : null
      return { text: text === '' ? null : text, output: parsed.ok ? parsed.value : undefined, reasons, usage: total, costUsd }
    }
    repaired = true
    exchanges = [{ items: turn.items, results: [], reply: repairReply(parsed.why) }]
    turn = await takeTurn(options, { exchanges, number: number++, tools: [], mayCall: false, forcedBy: null }, signal)
    usages.push(turn)
  }
}

const reasonOf = ({ failure }: KnownCall): Reason[] => (failure ? [{ code: failure.code, message: failure.message }] : [])

/** What the tools gave before the answer was stopped, for the last turn. */
function soFar(calls: readonly KnownCall[]): string {
  const results = calls.map(({ server, tool, status, text }) => `${tool} on ${server} (${status}): ${text}`)
  return `You may call no more tools. Answer now, with what they gave so far:\n${results.join('\n') || 'nothing'}`
}

function overLimits({ limits }: HostedOptions, { usage, costUsd }: TakenTurn): Reason[] {
  const tokens = usage.inputTokens + usage.outputTokens
  const reasons: Reason[] = []
  if (limits.tokens !== undefined && tokens > limits.tokens)
    reasons.push({ code: 'BUDGET_TOKENS', message: `${tokens} of ${limits.tokens} tokens were used.` })
  if (limits.costUsd !== undefined && (costUsd ?? 0) > limits.costUsd) {
    reasons.push({ code: 'BUDGET_COST', message: `${(costUsd ?? 0).toFixed(4)} of ${limits.costUsd} USD were used.` })
  }
  return reasons
}

/** One hosted answer, new or found again, from its first event to its row. */
async function hostedTurn(options: HostedOptions, calls: KnownCall[], signal: AbortSignal): Promise<TakenTurn> {
  const { hosted, journal, open, price } = options
  const attachTo = open?.background === true && open.responseId !== null ? open.responseId : undefined
  const number = open && attachTo !== undefined ? open.turn : options.nextTurn
  const reader = createReader(options, calls, number)
  if (open && attachTo === undefined) await giveUp(options, open.turn, reader)
  const own = new AbortController()
  const follow = () => own.abort(signal.reason)
  signal.addEventListener('abort', follow, { once: true })
  if (signal.aborted) follow()
  const soft = setTimeout(() => own.abort(new Stopped(SOON)), Math.max(options.softDeadline.getTime() - Date.now(), 0))
  const startedAt = new Date()
  try {
    const response = await finalResponse(options, { reader, number, attachTo }, own)
    await reader.finish(response)
    const { items, stopReason, usage, responseId, providerRequestId, model } = turnOf(response, null, hosted.model)
    const costUsd = price ? costOf(usage, price) : null
    await journal.turn({
      number,
      items,
      stopReason,
      forcedBy: null,
      responseId,
      providerRequestId,
      model,
      usage,
      costUsd,
      startedAt,
      finishedAt: new Date(),
    })
    return { number, items, stopReason, usage, costUsd }
  } catch (error) {
    if (!own.signal.aborted) throw await reader.judge(error)
    const reason: unknown = own.signal.reason
    // A worker that only stops leaves a background answer to the next one. Any other end is the answer's end too.
    if (!(reason instanceof Failure && reason.code === 'WORKER_LOST')) await reader.stop()
    throw reason
  } finally {
    clearTimeout(soft)
    signal.removeEventListener('abort', follow)
  }
}

const SOON: Reason = { code: 'DEADLINE', message: 'The deadline was near, so the model had to answer with what it had.' }

/** An answer that an earlier attempt asked for and that cannot be found again. */
async function giveUp({ journal }: HostedOptions, turn: number, { mayRepeat }: Reader): Promise<void> {
  if (!mayRepeat) {
    throw new Failure({
      code: 'OUTCOME_UNKNOWN',
      message: 'The provider was at work when an earlier attempt ended: tools that are not repeatable may have run.',
    })
  }
  await journal.responseState({ turn, responseId: null, state: 'over' })
}

/** Reads events until the last one. A background answer whose stream broke is attached to again. */
async function finalResponse(
  options: HostedOptions,
  from: { reader: Reader; number: number; attachTo: string | undefined },
  own: AbortController,
): Promise<Response> {
  const { hosted, journal } = options
  const { reader, number } = from
  reader.responseId = from.attachTo
  if (from.attachTo === undefined) {
    await journal.response({ turn: number, background: hosted.background })
    own.signal.throwIfAborted()
    const response = await reader.read(await hosted.ask(askBody(options), own.signal), own)
    if (response) return response
  }
  for (let attempt = 0; hosted.background && reader.responseId !== undefined && attempt < ATTACH_TRIES; attempt++) {
    if (attempt > 0) await sleep(ATTACH_BACKOFF_MS * 2 ** attempt, undefined, { signal: own.signal })
    try {
      const response = await reader.read(await hosted.attach(reader.responseId, own.signal), own)
      if (response) return response
    } catch (error) {
      if (own.signal.aborted || isGone(error)) throw error
    }
  }
  throw new Failure({ code: 'MODEL_UNAVAILABLE', message: `The stream of model ${hosted.model} ended without its last event.` })
}

function askBody({ instructions, prompt, output, servers, headers }: HostedOptions): Parameters<HostedModel['ask']>[0] {
  return {
    input: [{ role: 'user', content: prompt }],
    ...(instructions !== undefined && { instructions }),
    tools: servers.map(({ name, url, tools }) => ({
      type: 'mcp',
      server_label: serverLabel(name),
      server_url: url,
      headers: headers(),
      allowed_tools: [...tools],
      require_approval: 'never',
    })),
    ...(output && { text: { format: { type: 'json_schema', name: output.name, schema: output.schema, strict: false } } }),
  }
}
