import type { ServerResponse } from 'node:http'

type Fields = Readonly<Record<string, unknown>>

/** The body of a request to a model. */
export type Asked = Fields

/** One answer of a model, as it goes over the wire. */
export type Say = (res: ServerResponse, asked: Asked) => void

/** What a real provider was seen to answer, and what should come of a run of the tool `act`. */
export interface ModelCase {
  name: string
  api: 'chat' | 'responses'
  /** The answer is asked for as a stream. Default: true. */
  stream?: boolean
  store?: boolean
  /** An answer to each request, in order. */
  turns: Say[]
  /** What the provider refuses with 400; undefined for what it takes. */
  refuses?: (asked: Asked) => string | undefined
  schema?: Record<string, unknown>
  /** `ok: text` with the arguments of the calls that were made, or the code of the failure or of the first reason against green. */
  expected: string
}

const EVENTS = { 'content-type': 'text/event-stream' }

export const json =
  (body: unknown, type = 'application/json'): Say =>
  (res) =>
    void res.writeHead(200, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body))

/** Events without names, and what ends them. */
export const events =
  (list: readonly unknown[], last = ''): Say =>
  (res) =>
    void res.writeHead(200, EVENTS).end(list.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('') + last)

/** The name by which a model calls the tool. */
export const ACT = 'shop__act'
