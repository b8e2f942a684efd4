import { readOutput } from '../../../src/core/rules/output.ts'
import { runLocal, type LocalOptions } from '../../../src/agent/loop.ts'
import type { DelegateResult, OutputCheck } from '../../../src/models/model.ts'
import { namedUris } from '../../../src/runs/attempt/preflight.ts'
import { createProvider, type ProviderOptions } from '../../../src/models/openai/provider.ts'
import type { PastCall, PastTurn } from '../../../src/core/history.ts'
import { startAnsweringModel, type AnsweringModel, type Said } from './answering-model.ts'
import { startScriptedServer, type ScriptedServer, type Serve } from '../mcp/scripted-server.ts'
import type { RecordingJournal } from '../gateway/recording-journal.ts'
import { aServer, openBox } from '../mcp/tool-box.ts'

export interface Conversation extends AsyncDisposable {
  model: AnsweringModel
  server: ScriptedServer
  journal: RecordingJournal
  run(signal?: AbortSignal): Promise<DelegateResult>
  /** Arguments of the calls that reached the server, in order. */
  sent(): unknown[]
}

export interface Settings extends Partial<Omit<LocalOptions, 'limits' | 'output'>> {
  limits?: Partial<LocalOptions['limits']>
  schema?: Record<string, unknown>
  /** How the answer is asked for, where it is not by the provider's format. */
  form?: Partial<OutputCheck>
  /** The provider holds the model to a format that is asked for while tools are free: it says this, and calls none. */
  formatFirst?: string
  /** The window that the provider keeps, and the notes that its model writes. */
  keeps?: { window: number; notes?: string; figures?: boolean; says?: (tokens: number) => number }
  /** Most bytes of a result that are shown. */
  resultBytes?: number
  /** How the provider is set up; with `baseUrl`, which one it is. */
  provider?: Partial<ProviderOptions>
  /** What the server answers, by kind of request. */
  serve?: Record<string, Serve>
}

const FAR = Number.POSITIVE_INFINITY

/** The local loop over a provider that says what it is told to, and a server with the tools `act` and `look`. */
export async function hold(
  said: readonly Said[],
  { limits, schema, form, serve = {}, formatFirst, keeps, resultBytes = 1000, provider: behaviour, ...options }: Settings = {},
): Promise<Conversation> {
  await using building = new AsyncDisposableStack()
  const model = building.use(await startAnsweringModel(said, { formatFirst, ...keeps }))
  const server = building.use(await startScriptedServer(serve))
  const box = building.use(
    await openBox([aServer(server.url)], {
      onUnknown: options.onUnknown ?? 'stop',
      namedUris: namedUris(options.history ?? []),
      resultBytes,
    }),
  )
  const { journal } = box
  const provider = createProvider({
    name: 'answering',
    api: 'responses',
    baseUrl: model.url,
    apiKey: () => undefined,
    stream: false,
    store: undefined,
    labels: false,
    background: false,
    mcpToken: 'headers' as const,
    runHeader: true,
    timeoutMs: 20_000,
    maxResponseBytes: 1_048_576,
    formatWithTools: true,
    redact: (text) => text,
    ...behaviour,
  })
  building.defer(() => provider.close())
  const stack = building.move()
  return {
    model,
    server,
    journal,
    run: (signal = new AbortController().signal) =>
      runLocal(
        {
          model: provider.model('answering'),
          tools: box.box,
          journal,
          instructions: undefined,
          prompt: 'Do it.',
          output: schema && {
            format: { name: 'output', schema, strict: false },
            mode: 'native',
            withTools: true,
            grounded: [],
            parse: (text, cut) => readOutput(text, schema, { cut: cut !== undefined, ...cut }),
            ...form,
          },
          limits: { turns: 20, toolCalls: 50, tokens: undefined, costUsd: undefined, ...limits },
          price: undefined,
          inUse: () => ({ provider: 'answering', name: 'answering', price: options.price, tier: undefined }),
          budget: undefined,
          labels: undefined,
          settings: {},
          window: undefined,
          cacheKey: 'test',
          needed: [],
          partial: [],
          bare: false,
          warn: () => {},
          warnNoUsage: () => {},
          warnNoPrice: () => {},
          history: [],
          unseen: [],
          nextTurn: 1,
          softDeadline: FAR,
          onUnknown: 'stop',
          toolConcurrency: 4,
          resultBytes,
          staleAfterMs: Infinity,
          ...options,
        },
        signal,
      ),
    sent: () => server.seen.flatMap(({ kind, params }) => (kind === 'tools/call' ? [params?.arguments] : [])),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** A turn of an earlier attempt that called `act` or `look` once for each of the calls given. */
export function pastTurn(number: number, calls: Partial<PastCall>[], extra: Partial<PastTurn> = {}): PastTurn {
  return {
    number,
    attempt: 1,
    startedAt: new Date(0),
    finishedAt: new Date(0),
    provider: null,
    model: 'm',
    tier: null,
    purpose: null,
    context: null,
    items: calls.map(({ tool = 'act' }, position) => ({
      type: 'tool_call',
      callId: `past_${number}_${position}`,
      name: `shop__${tool}`,
      arguments: JSON.stringify({ n: number * 100 + position }),
    })),
    stopReason: 'end',
    forcedBy: null,
    usage: { inputTokens: 9, cachedTokens: 0, outputTokens: 1, reasoningTokens: 0 },
    costUsd: null,
    calls: calls.map((call, position) => ({
      position,
      callId: `past_${number}_${position}`,
      arguments: { n: number * 100 + position },
      server: 'shop',
      tool: 'act',
      repeatable: false,
      status: 'ok',
      result: null,
      failure: null,
      ...call,
    })),
    ...extra,
  }
}

/** What a store would give of the first turns, with all of their calls but the last few of the last turn. */
export function historyOf({ journal }: Conversation, turns: number, lost = 0): PastTurn[] {
  return journal.turns.slice(0, turns).map((turn, index) => {
    const calls = journal.calls.filter((call) => call.turn === turn.number)
    return {
      ...turn,
      provider: turn.provider ?? null,
      tier: turn.tier ?? null,
      purpose: turn.purpose ?? null,
      // As a column gives it.
      context: turn.context === undefined ? null : JSON.parse(JSON.stringify(turn.context)),
      attempt: 1,
      calls: calls.slice(0, index === turns - 1 ? calls.length - lost : calls.length).flatMap((call) => {
        const end = journal.ends.find(({ id }) => id === call.id)
        return end ? [{ ...call, status: end.status, result: end.result, failure: end.failure }] : []
      }),
    }
  })
}
