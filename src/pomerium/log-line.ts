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
}

/** Reads a line of Pomerium's log. Any other line is skipped; a line that says it is one and is not whole is broken. */
export function parseLogLine(
  line: string,
  { paramsBytes, redact = (given) => replaceTokens(given, '[secret]') }: ParseOptions,
): ParsedLine {
  if (!line.includes(MARK)) return { kind: 'other' }
  let content: unknown
  try {
    content = parseDigits(wellFormedJson(line))
  } catch {
    return { kind: 'broken' }
  }
  const parsed = lineSchema.safeParse(content)
  if (!parsed.success) return isMessage(content) ? { kind: 'broken' } : { kind: 'other' }
  return { kind: 'event', event: eventOf(line, parsed.data, paramsBytes, (given) => storeText(redact(given))) }
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
