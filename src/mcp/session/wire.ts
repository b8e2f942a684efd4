import { isObject } from '../../lib/json/object.ts'
import { LATEST_PROTOCOL_VERSION, SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js'
import { parseBounded } from '../../lib/json/bounded.ts'
import { wellFormedJson } from '../../lib/json/well-formed.ts'
import { parseDigits, parseDoubles } from '../../lib/json/parse.ts'

// Everything that a server says enters here, before the SDK reads it. Servers are sloppy in many ways that leave no doubt what they mean; the SDK takes the specification's form alone.

/** What a message is read for. */
export interface Asked {
  /** Method of the request that it may answer, and the id that the SDK gave it. */
  method: string | undefined
  id: unknown
  /** Takes secrets out of the text, before anybody reads it. */
  redact: (text: string) => string
}

/** A message as the SDK takes it. `ask`: the server wants an answer. */
export interface WireMessage {
  kind: 'answer' | 'ask'
  /** JSON text: well-formed, on one line. */
  json: string
}

type Fields = Record<string, unknown>

/** Methods whose results are data, in which each digit counts. What describes a tool has limits of types, such as 2^63, which have to stay numbers. */
const HAS_DATA: ReadonlySet<string> = new Set(['tools/call', 'resources/read', 'prompts/get'])

/**
 * Reads the messages of a JSON text, which may be a list of them. Null is absent; an answer without an id is that of the request; notifications are left out, since
 * nothing listens to them, and so are answers to another request. Throws for what is no JSON, or too much of it.
 */
export function readMessages(text: string, asked: Asked): WireMessage[] {
  const parsed = parseBounded(text, HAS_DATA.has(asked.method ?? '') ? parseDigits : parseDoubles)
  const found = Array.isArray(parsed) ? parsed : [parsed]
  return found.flatMap((one) => readMessage(one, asked) ?? [])
}

function readMessage(message: unknown, asked: Asked): WireMessage | undefined {
  if (!isObject(message)) return undefined
  const { id, method, params, result, error } = message
  const json = (fields: Fields) => asked.redact(wellFormedJson(JSON.stringify({ jsonrpc: '2.0', ...fields })))
  if (typeof method === 'string') {
    if (typeof id !== 'string' && typeof id !== 'number') return undefined
    return { kind: 'ask', json: json({ id, method, ...(isObject(params) && { params: withoutNulls(params) }) }) }
  }
  const of = answeredId(message, asked)
  if (of === undefined) return undefined
  if (result !== undefined && result !== null) return { kind: 'answer', json: json({ id: of, result: readResult(result, asked.method) }) }
  if (error !== undefined && error !== null) return { kind: 'answer', json: json({ id: of, error: readError(error) }) }
  return undefined
}

/** The id of the request that is answered; undefined for another one's. Some servers give an error of a request an id that is nobody's, such as a word. */
function answeredId({ id, error }: Fields, asked: Asked): unknown {
  const of = id ?? asked.id
  // SDK: it takes an answer to another request for this one's, and waits for ever.
  if (asked.id === undefined || Number(of) === Number(asked.id)) return of
  return isObject(error) && Number.isNaN(Number(of)) ? asked.id : undefined
}

const INTERNAL_ERROR = -32603

function readError(error: unknown): Fields {
  if (!isObject(error)) return { code: INTERNAL_ERROR, message: typeof error === 'string' ? error : JSON.stringify(error) }
  const { code, message, data } = error
  const number = Number(code ?? INTERNAL_ERROR)
  return {
    code: Number.isSafeInteger(number) ? number : INTERNAL_ERROR,
    message: typeof message === 'string' ? message : '',
    ...(data !== undefined && data !== null && { data }),
  }
}

function readResult(result: unknown, method: string | undefined): unknown {
  if (!isObject(result)) return result
  const { _meta: meta, ...rest } = withoutNulls(result)
  const read = method === 'initialize' ? readInitialize(rest) : rest
  return isObject(meta) ? { ...read, _meta: meta } : read
}

/** What of the answer to initialize is used here, in the form that it must have. */
function readInitialize({ protocolVersion, capabilities, serverInfo, instructions }: Fields): Fields {
  const info = isObject(serverInfo) ? serverInfo : {}
  return {
    protocolVersion: readVersion(protocolVersion),
    capabilities: { tools: {}, ...(isObject(capabilities) && isObject(capabilities['resources']) && { resources: {} }) },
    serverInfo: { name: textOf(info['name']) ?? '', version: textOf(info['version']) ?? '', title: textOf(info['title']) },
    instructions: textOf(instructions),
  }
}

const VERSION = /^\d{4}-\d{2}-\d{2}$/

/** A server that answers initialize speaks a revision that has it, whatever later one it names. */
function readVersion(version: unknown): unknown {
  if (typeof version !== 'string' || SUPPORTED_PROTOCOL_VERSIONS.includes(version)) return version
  return VERSION.test(version) && version > LATEST_PROTOCOL_VERSION ? LATEST_PROTOCOL_VERSION : version
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined)

const withoutNulls = (fields: Fields): Fields => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
