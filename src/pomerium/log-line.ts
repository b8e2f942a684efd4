import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { AuthorizeEvent } from '../core/authorize-event.ts'
import { digestOf } from '../lib/hash/digest.ts'
import { wellFormedJson } from '../lib/json/well-formed.ts'
import { cutBytes, storeText } from '../lib/text.ts'
import { replaceTokens } from '../lib/token-shapes.ts'
import { parseDigits } from '../lib/json/parse.ts'
import { foreignTime } from '../lib/time/foreign.ts'

export type ParsedLine = { kind: 'event'; event: AuthorizeEvent } | { kind: 'other' } | { kind: 'broken' }

const MARK = '"authorize check"'
/** In the place of an HTTP method. */
const UNREADABLE = 'unreadable'
/** Digest of parameters that have no canonical form; no call of ours has it. */
const NO_DIGEST = 'none'
/** Names, addresses and paths of ours are shorter; whoever sends a request may choose them. */
const MAX_TEXT = 8192
/** Those of requests of ours are shorter. */
const MAX_REQUEST_ID = 200
const text = z.string().catch('')
const texts = z.array(z.string()).catch([])

// Which fields are logged is configured, so any may be missing. An unusable value counts as missing.
const lineSchema = z.looseObject({
  message: z.literal('authorize check'),
  // Whoever sends a request may choose it: one of any length is of a request that was made.
  'request-id': z.string(),
  time: foreignTime,
  method: text,
  host: text,
  path: text,
  ip: text,
  user: text,
  'service-account-id': z.string().optional().catch(undefined),
  'mcp-method': z.string().optional().catch(undefined),
  'mcp-tool': z.string().optional().catch(undefined),
  'mcp-tool-parameters': z.unknown().optional(),
  headers: z.record(z.string(), z.unknown()).catch({}),
  allow: z.boolean(),
  deny: z.boolean().catch(false),
  'allow-why-true': texts,
  'allow-why-false': texts,
  'deny-why-true': texts,
})

export interface ParseOptions {
  /** Most bytes of a call's parameters that are kept as text; 0 keeps their digest alone. */
  paramsBytes: number
  /** Takes secrets out of what is kept; without it, tokens that their shape tells. Digests are of the line as it came. */
  redact?: ((text: string) => string) | undefined
  /** Ids of accounts of ours: a line that cannot be read and has one of them is an event. */
  accountIds?: (() => readonly string[]) | undefined
}

/**
 * Reads a line of Pomerium's log. Any other line is skipped. Of a line that says it is one and is not whole, it is known whose it is, where it names an account: it is an event that
 * nothing explains, since a sender must not get out of sight by what he sends. Any other is broken.
 */
export function parseLogLine(given: string, options: ParseOptions): ParsedLine {
  const { paramsBytes, redact = (whole) => replaceTokens(whole, '[secret]') } = options
  if (!given.includes(MARK)) return { kind: 'other' }
  const line = jsonOf(given)
  let content: unknown
  try {
    content = parseDigits(wellFormedJson(line))
  } catch {
    return unreadable(given, options)
  }
  const parsed = lineSchema.safeParse(content)
  if (!parsed.success) return isMessage(content) ? unreadable(given, options) : { kind: 'other' }
  return { kind: 'event', event: eventOf(line, parsed.data, paramsBytes, (whole) => storeText(redact(whole))) }
}

/** What stands around the object is of whoever passed the line on, such as the name of a container: its digest is that of the line as Pomerium wrote it. */
function jsonOf(line: string): string {
  const from = line.indexOf('{')
  const to = line.lastIndexOf('}')
  // What has a quote before its first object is the rest of a line.
  return from === -1 || to < from || line.slice(0, from).includes('"') ? line : line.slice(from, to + 1)
}

const ACCOUNT = /"service-account-id":"([^"\\]{1,200})"/
const TIME = /"time":"([^"\\]{1,40})"/

/** A line of an account that cannot be read. Nothing else of it is believed. */
export function unreadable(line: string, { accountIds }: ParseOptions): ParsedLine {
  const accountId = accountIds?.().find((id) => id !== '' && line.includes(id)) ?? ACCOUNT.exec(line)?.[1]
  if (accountId === undefined) return { kind: 'broken' }
  // A sender may have written a time into what he sent: one that is to come would put the alarm off.
  const said = foreignTime.safeParse(TIME.exec(line)?.[1])
  // oxlint-disable-next-line house/steady-clock -- it is compared with a time of the log
  const now = Date.now()
  const event: AuthorizeEvent = {
    lineDigest: createHash('sha256').update(line).digest('base64url'),
    requestId: '',
    time: new Date(said.success ? Math.min(Date.parse(said.data), now) : now),
    method: UNREADABLE,
    host: '',
    path: '',
    ip: '',
    userId: '',
    accountId: storeText(accountId),
    mcpMethod: undefined,
    mcpTool: undefined,
    paramsDigest: undefined,
    params: undefined,
    runHeader: undefined,
    allowed: true,
    reasons: [UNREADABLE],
  }
  return { kind: 'event', event }
}

/** The text of an authorize line may also occur inside another line, such as in a tool's arguments. */
const isMessage = (content: unknown) =>
  typeof content === 'object' && content !== null && Reflect.get(content, 'message') === 'authorize check'

function eventOf(line: string, fields: z.output<typeof lineSchema>, paramsBytes: number, whole: (text: string) => string): AuthorizeEvent {
  const keep = (given: string) => whole(given).slice(0, MAX_TEXT).toWellFormed()
  const params = fields['mcp-tool-parameters']
  const isCall = fields['mcp-method'] === 'tools/call'
  const hasParams = isCall && params !== undefined
  return {
    lineDigest: createHash('sha256').update(line).digest('base64url'),
    requestId: keep(fields['request-id']).slice(0, MAX_REQUEST_ID).toWellFormed(),
    time: new Date(fields.time),
    method: keep(fields.method),
    host: keep(fields.host.replace(/:\d+$/, '')).toLowerCase(),
    path: keep(fields.path),
    ip: keep(fields.ip),
    userId: keep(fields.user),
    accountId: known(fields['service-account-id'], keep),
    mcpMethod: known(fields['mcp-method'], keep),
    mcpTool: known(fields['mcp-tool'], keep),
    paramsDigest: hasParams ? tryTo(() => digestOf(params), NO_DIGEST) : undefined,
    params:
      hasParams && paramsBytes > 0
        ? // Cut last: a part of a secret would not be found.
          cutBytes(whole(tryTo(() => JSON.stringify(params), line)), paramsBytes).text
        : undefined,
    runHeader: runIdOf(fields.headers, keep),
    allowed: fields.allow && !fields.deny,
    reasons: (fields.deny ? fields['deny-why-true'] : fields.allow ? fields['allow-why-true'] : fields['allow-why-false']).map(keep),
  }
}

/** Hostile parameters, such as lists nested ten thousand deep, must not hide their call. */
function tryTo<T>(work: () => T, otherwise: T): T {
  try {
    return work()
  } catch {
    return otherwise
  }
}

const known = (value: string | undefined, keep: (text: string) => string) => (value === undefined || value === '' ? undefined : keep(value))

function runIdOf(headers: Record<string, unknown>, keep: (text: string) => string): string | undefined {
  const [, value] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'x-nightshift-run-id') ?? []
  return typeof value === 'string' && value !== '' ? keep(value).slice(0, 100) : undefined
}
