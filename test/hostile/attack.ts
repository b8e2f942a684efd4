import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Serve } from '../support/mcp/scripted-server.ts'

/** Answers a request of Nightshift to a model's provider. */
export type Serving = (req: IncomingMessage, res: ServerResponse) => unknown

/** What means harm, and what comes of a run that meets it. */
export interface Attack {
  name: string
  /** What its MCP server answers, by kind of request. */
  on?: Record<string, Serve>
  /** Arguments of the one call of its tool `act` that the model makes; false: it makes none. */
  call?: unknown
  /** What the model says in the end. */
  says?: string
  /** What the model's provider answers, instead of a model that is well. */
  model?: Serving
  /** More YAML of its job. */
  job?: string
  /** A file that is put among the jobs while the worker is at work. There is no run then. */
  jobFile?: string
  /** Status of the run, and the code of its failure or of its first reason. */
  expected: string
  /** Most requests to its server. */
  requests?: number
  /** It is over after most of a minute, or when its call times out. */
  isLong?: boolean
}

export const JSON_TYPE = { 'content-type': 'application/json' }
export const EVENTS = { 'content-type': 'text/event-stream' }

/** Writes pieces as fast as they are read, until they end or nobody reads. */
export async function pour(res: ServerResponse, pieces: Iterable<string | Uint8Array>): Promise<void> {
  const closed = new Promise((done) => res.once('close', done))
  for (const piece of pieces) {
    if (res.destroyed) return
    if (!res.write(piece)) await Promise.race([new Promise((done) => res.once('drain', done)), closed])
  }
  res.end()
}

export function* repeated(piece: string | Uint8Array, times: number): Generator<string | Uint8Array> {
  for (let n = 0; n < times; n++) yield piece
}
