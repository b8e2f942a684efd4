/** A line that nothing explains. */
export interface OpenLine {
  id: string
  /** By the clock of the store. */
  time: Date
  accountId: string
  method: string
  host: string
  mcpMethod: string | null
  mcpTool: string | null
}

/** A request of ours whose answer is awaited: the id that Pomerium gave it is not known yet. */
export interface Flight {
  /** By the clock of the store. */
  sentAt: Date
  accountId: string
  method: string
  host: string
  rpcMethod: string | null
  tool: string | null
}

/** Most time between a request and its line. */
const APART_MS = 60_000

/**
 * Ids of the lines that may be of requests under way, so that it is too early to say: one line for each request, the one next to it in time. All others are of
 * somebody else, whichever of them these are.
 */
export function doubtedLines(lines: readonly OpenLine[], flights: readonly Flight[]): Set<string> {
  const pairs = flights.flatMap((flight, of) =>
    lines
      .filter((line) => isLike(line, flight))
      .map((line) => ({ line, of, apartMs: Math.abs(line.time.getTime() - flight.sentAt.getTime()) })),
  )
  const doubted = new Set<string>()
  const taken = new Set<number>()
  const byDistance = pairs
    .filter(({ apartMs }) => apartMs <= APART_MS)
    .toSorted((a, b) => a.apartMs - b.apartMs || Number(a.line.id) - Number(b.line.id))
  for (const { line, of } of byDistance) {
    if (doubted.has(line.id) || taken.has(of)) continue
    doubted.add(line.id)
    taken.add(of)
  }
  return doubted
}

const isLike = (line: OpenLine, flight: Flight) =>
  line.accountId === flight.accountId &&
  line.method === flight.method &&
  line.host === flight.host &&
  // What the gateway could not look into has neither.
  (line.mcpMethod === null || flight.rpcMethod === null || line.mcpMethod === flight.rpcMethod) &&
  (line.mcpTool === null || flight.tool === null || line.mcpTool === flight.tool)
