// What comes of a neighbour that takes what it is sent and says nothing, beside one that refuses.
import { longestMs } from '../../../scripts/waits.ts'

export type Neighbour = 'postgres' | 'redis' | 'gateway' | 'mcp server' | 'model' | 'receiver of reports'

export interface SilenceRow {
  neighbour: Neighbour
  /** SIGSTOP: what it was sent is answered when it goes on. swallow: connections that stood or came meanwhile stay silent for ever. drip: ten bytes a second pass. */
  how: 'SIGSTOP' | 'swallow' | 'drip'
  /** One of two replicas, or both. */
  whose: 'one' | 'all'
  /** Rows of ARCHITECTURE's table of waits: whoever was waiting when the silence ended waits for these, one after another. */
  waits: readonly string[]
  /** What `/readyz` says meanwhile; undefined where it may say either, since some sessions are frozen and others are not. */
  readyz: 200 | 503 | undefined
}

/** A client of the API that asks and does not read: its connection is kept for so long after the kernel took the last bytes for it, which is seen once in that time. */
export const READER = 'a caller of the API that neither sends nor reads'

/** What the table leaves to the configuration and to the job, as the bed sets it. */
export const SETTINGS = {
  'config gateway.setupTimeout': 5000,
  'config providers.<name>.answerTimeout': 5000,
  'job limits.call': 5000,
  'job tools.<name>.timeout': 0,
  'config worker.lockTimeout': 6000,
} as const

/** A run by itself, among others, on a machine that is busy. */
export const RUN_MS = 10_000

/** Longest time from the end of the silence to the first sign of life of each replica that it was for. */
export const boundMs = ({ waits }: SilenceRow): number => waits.reduce((sum, what) => sum + longestMs(what, SETTINGS), RUN_MS)

const POSTGRES = ['Postgres: a statement', 'Postgres: its word that a statement took too long', 'Postgres: a connection']
const REDIS = ['Redis: anything on a connection that was asked', 'Redis: a connection']
const GATEWAY = [
  'the gateway, a model: a connection; with a proxy, one to that as well',
  'the gateway: session, tools, route list, a free connection',
  'an MCP server: a call of a tool, to its whole result',
]
const SERVER = ['the gateway: session, tools, route list, a free connection', 'an MCP server: a call of a tool, to its whole result']
const MODEL = ['a model: the head of an answer, and each silence within it']
const RECEIVER = ['a webhook', 'a place of reports that was silent three times, until it is asked again']

const both = (neighbour: Neighbour, waits: readonly string[], readyz: 200 | 503 = 200): SilenceRow[] =>
  (['SIGSTOP', 'swallow'] as const).flatMap((how) =>
    (['one', 'all'] as const).map((whose): SilenceRow => ({
      neighbour,
      how,
      whose,
      waits,
      readyz: neighbour === 'postgres' && how === 'SIGSTOP' && whose === 'one' ? undefined : readyz,
    })),
  )

export const SILENCE_ROWS: readonly SilenceRow[] = [
  ...both('postgres', POSTGRES, 503),
  ...both('redis', REDIS, 503),
  ...both('gateway', GATEWAY),
  // It stands behind the gateway, which all share.
  ...both('mcp server', SERVER).filter(({ whose }) => whose === 'all'),
  ...both('model', MODEL),
  ...both('receiver of reports', RECEIVER),
  { neighbour: 'receiver of reports', how: 'drip', whose: 'all', waits: RECEIVER, readyz: 200 },
]

export const nameOf = ({ neighbour, how, whose }: SilenceRow): string =>
  `${neighbour}: ${how}, for ${whose === 'one' ? 'one replica' : 'all'}`
