import type { ServerSpec } from '../../../src/mcp/servers.ts'
import { openToolBox, type OpenToolBox, type ToolBoxOptions } from '../../../src/mcp/toolbox.ts'
import type { ToolOutcome } from '../../../src/core/ports/toolbox.ts'
import { openGatewayLine, type RecordingJournal } from '../gateway/recording-journal.ts'

export interface OpenedBox extends AsyncDisposable {
  box: OpenToolBox
  journal: RecordingJournal
  /** Lets the model call a tool by its name for it. */
  call(name?: string, args?: string, signal?: AbortSignal): Promise<ToolOutcome>
}

export interface BoxSettings extends Partial<Omit<ToolBoxOptions, 'servers' | 'fetch' | 'journal'>> {
  maxResponseBytes?: number
  signal?: AbortSignal
}

export const aServer = (url: string, extra: Partial<ServerSpec> = {}): ServerSpec => ({
  name: 'shop',
  url,
  allow: ['act', 'look'],
  repeatable: ['look'],
  required: true,
  maxRequestBytes: 4096,
  description: undefined,
  callTimeoutMs: 600_000,
  results: 'auto',
  resources: [],
  instructions: 'pass',
  notes: undefined,
  ...extra,
})

/** The tool box of an attempt, over the gateway's own fetch. */
export async function openBox(
  servers: ServerSpec[],
  { maxResponseBytes = 1_048_576, signal, ...options }: BoxSettings = {},
): Promise<OpenedBox> {
  await using building = new AsyncDisposableStack()
  const { fetch, journal } = building.use(openGatewayLine({ maxResponseBytes }))
  const box = await openToolBox(
    {
      servers,
      fetch,
      journal,
      onUnknown: 'stop',
      resultBytes: 1000,
      keptBytes: 1_048_576,
      canRead: true,
      redact: (text) => text,
      timeoutMs: 20_000,
      maxResponseBytes,
      ...options,
    },
    signal ?? new AbortController().signal,
  )
  building.defer(() => box.close())
  const stack = building.move()
  let position = 0
  return {
    box,
    journal,
    call: (name = 'shop__act', args = '{"n": 1}', own = new AbortController().signal) =>
      box.call(
        {
          turn: 1,
          position: position++,
          callId: `call_${position}`,
          name,
          resultBytes: options.resultBytes ?? 1000,
          giveUpAt: Number.POSITIVE_INFINITY,
          arguments: args,
        },
        own,
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
