// @ts-nocheck
import { setTimeout as sleep } from 'node:timers/promises'
import type OpenAI from 'openai'
import { Failure } from '../../core/failure.ts'
import { costOf } from '../../core/rules/price.ts'
import { addUsage, noUsage, type Reason, type Usage } from '../../core/run.ts'
import { isGone, type HostedModel } from '../../models/openai/hosted-client.ts'
import type { HostedOptions, KnownCall } from './options.ts'
import { createReader, Stopped, type Reader } from './reader.ts'
import { serverLabel } from '../../models/openai/server-label.ts'
import type { DelegateResult } from '../../models/model.ts'
import { turnOf } from '../../models/openai/responses.ts'
import { answerText, checkOutput, CUT, pastTurn, repairReply, reserve, takeTurn, unusable, type TakenTurn, type TurnAsk } from '../turn.ts'

type Response = OpenAI.Responses.Response

const ATTACH_TRIES = 6
const ATTACH_BACKOFF_MS = 200

/** Lets the provider work through the servers, and writes what it does as if we had done it. */
export async function runHosted(options: HostedOptions, signal: AbortSignal): Promise<DelegateResult> {
  const calls: KnownCall[] = options.history.flatMap((past) => past.calls.map((call) => ({ ...call, text: call.result?.text ?? '' })))
  const turns = options.history.map(pastTurn)
  if (turns.length === 0) turns.push(await hostedTurn(options, calls, signal))
  for (;;) {
    const turn = turns.at(-1)
    if (!turn) throw new Error('a conversation has a turn')
    const next = nextAsk(options, turns, calls)
    if (!next) return result(options, turns, calls)
    turns.push(await takeTurn(options, { ...next, number: Math.max(options.nextTurn, turn.number + 1), tools: [], mayCall: false }, signal))
  }
}

/** What is still to be asked: an answer after a stop, or once more for one that can be used. */
function nextAsk(
  options: HostedOptions,
  turns: readonly TakenTurn[],
  calls: readonly KnownCall[],
): Pick<TurnAsk, 'exchanges' | 'forcedBy'> | undefined {
  const turn = turns.at(-1)
  if (!turn) return undefined
  if (turn.stopReason === 'stopped') return { exchanges: [{ items: [], results: [], reply: soFar(calls) }], forcedBy: turn.forcedBy }
  const parsed = checkOutput(options, answerText(turn))
  if (parsed.ok || turns.length > 1) return undefined
  return { exchanges: [{ items: turn.items, results: [], reply: repairReply(parsed.why) }], forcedBy: null }
}

function result(options: HostedOptions, turns: readonly TakenTurn[], calls: readonly KnownCall[]): DelegateResult {
  const last = turns.at(-1)
  const text = last ? answerText(last) : ''
  const parsed = checkOutput(options, text)
  const usage = turns.reduce((sum, one) => addUsage(sum, one.usage), noUsage)
  const costUsd = options.price ? turns.reduce((sum, one) => sum + (one.costUsd ?? 0), 0) : null
  const reasons = [
    ...turns.flatMap(({ forcedBy }) => (forcedBy ? [forcedBy] : [])),
    ...overLimits(options, usage, costUsd),
    ...(last?.stopReason === 'cut' ? [CUT] : []),
    ...(parsed.ok ? [] : [unusable(text, parsed.why)]),
    ...calls.flatMap(reasonOf),
  ]
  return { text: text === '' ? null : text, output: parsed.ok ? parsed.value : undefined, reasons, usage, costUsd }
}

const reasonOf = ({ failure }: KnownCall): Reason[] => (failure ? [{ code: failure.code, message: failure.message }] : [])

/** What the tools gave before the answer was stopped, for the last turn. */
function soFar(calls: readonly KnownCall[]): string {
  const results = calls.map(({ server, tool, status, text }) => `${tool} on ${server} (${status}): ${text}`)
  return `You may call no more tools. Answer now, with what they gave so far:\n${results.join('\n') || 'nothing'}`
}

function overLimits({ limits }: HostedOptions, usage: Usage, costUsd: number | null): Reason[] {
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
    // An answer that is found again was reserved when it was asked for.
    const reserved = await reserve(
      attachTo === undefined ? options : { ...options, budget: undefined },
      () => Buffer.byteLength(JSON.stringify(askBody(options))),
      false,
    )
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
    await reserved.settle(usage)
    return { number, items, stopReason, forcedBy: null, usage, costUsd }
  } catch (error) {
    if (!own.signal.aborted) throw await reader.judge(error)
    const reason: unknown = own.signal.reason
    // A worker that only stops leaves a background answer to the next one. Any other end is the answer's end too.
    if (reason instanceof Failure && reason.code === 'WORKER_LOST') throw reason
    await reader.stop()
    if (!(reason instanceof Stopped)) throw reason
    // Written, so that a later attempt knows what was done and asks for no more than an answer.
    const stopped: TakenTurn = { number, items: [], stopReason: 'stopped', forcedBy: reason.reason, usage: noUsage, costUsd: null }
    const { responseId = null } = reader
    await journal.turn({ ...stopped, responseId, providerRequestId: null, model: hosted.model, startedAt, finishedAt: new Date() })
    return stopped
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
