import { Webhook } from 'standardwebhooks'
import { Agent, fetch } from 'undici'
import { z } from 'zod'
import { Failure, messageOf } from '../../core/failure.ts'
import { textOrFile } from '../../lib/files/text-or-file.ts'
import { nameUnder } from '../../lib/name.ts'
import { httpUrl } from '../../lib/net/url.ts'
import { suggest } from '../../lib/near.ts'
import { createConnector, type WayOptions } from '../../lib/net/way/connector.ts'
import { secretsOf } from '../../lib/net/way/proxy.ts'
import { caSetting, proxySetting } from '../../lib/net/way/setting.ts'
import { defineDestination, type Secrets, type SendResult } from './destination.ts'
import { VERSION } from '../../lib/version.ts'

/** The URL is stored with delivery errors, so it must hold no credentials. */
const webhookUrl = httpUrl.refine(
  (url) => !URL.canParse(url) || (new URL(url).username === '' && new URL(url).password === ''),
  'must hold no user and no password; messages are signed with the secret instead',
)

const webhooksSchema = z
  .record(
    z.string(),
    z
      .strictObject({
        url: webhookUrl.describe('Where messages are posted. It must hold no user and no password.'),
        secret: z
          .string()
          .optional()
          .describe('Signing secret (Standard Webhooks): whsec_ and at least 24 bytes in base64; two with a space between them both sign.'),
        secretFile: z.string().optional().describe('File with the signing secret, instead of secret; read for each message.'),
        proxy: proxySetting('to this receiver'),
        caFile: caSetting('for this receiver'),
      })
      .superRefine(textOrFile('secret', 'secretFile', 'secret: "${NAME}", where NAME is an environment variable that you set')),
  )
  .default({})
  .describe('Where jobs with deliver: [{ webhook: … }] send their reports. Each has secret or secretFile.')

type Webhooks = z.output<typeof webhooksSchema>

/** A signed CloudEvent to a URL of the configuration. */
export const webhook = defineDestination({
  jobSchema: nameUnder('webhooks').describe('Name under webhooks: in the configuration.'),
  configShape: { webhooks: webhooksSchema },
  resolvePaths: ({ webhooks }, path) => ({
    webhooks: Object.fromEntries(
      Object.entries(webhooks).map(([name, { secretFile: secret, caFile: ca, ...rest }]) => {
        const pathOf = (file: string | undefined) => (file === undefined || file === '' ? undefined : path(file))
        return [name, { ...rest, secretFile: pathOf(secret), caFile: pathOf(ca) }]
      }),
    ),
  }),
  targetSchema: z.object({ name: z.string() }),
  targetOf: (name) => ({ name }),
  describe: ({ name }) => `webhook ${name}`,
  fault(name, { webhooks }) {
    if (Object.hasOwn(webhooks, name)) return undefined
    return `names the webhook ${name}, which is not under webhooks: in the configuration; ${suggest(name, Object.keys(webhooks))}`
  },
  open({ webhooks }, secrets) {
    // A secret that cannot be read stops the start. After that it is read for each message, so that the file may be replaced at any time.
    for (const [name, one] of Object.entries(webhooks)) secretOf(name, one, secrets)
    for (const { proxy } of Object.values(webhooks)) if (proxy) for (const text of secretsOf(proxy)) secrets.redact(text)
    const senders = new Map(Object.entries(webhooks).map(([name, one]) => [name, senderOf(name, one)]))
    return {
      async send({ name }, { id, event }) {
        const one = webhooks[name]
        const sender = senders.get(name)
        if (!one || !sender) return { ok: false, error: `there is no webhook ${name} in the configuration`, final: false }
        return sender.post(
          { url: one.url, secret: secretOf(name, one, secrets) },
          { id, body: JSON.stringify(event), contentType: 'application/cloudevents+json' },
        )
      },
      async close() {
        await Promise.all([...senders.values()].map((sender) => sender.close()))
      },
    }
  },
})

function senderOf(name: string, { proxy, caFile }: Webhooks[string]) {
  try {
    return createWebhookSender({ way: { proxy, caFile } })
  } catch (cause) {
    throw new Failure({ code: 'CONFIG_INVALID', message: `webhooks.${name}.caFile ${caFile} cannot be used: ${messageOf(cause)}.`, cause })
  }
}

function secretOf(name: string, { secret: given, secretFile: file }: Webhooks[string], secrets: Secrets): string {
  const secret = secrets.read(`webhooks.${name}`, given, file)
  if (secret === undefined || !secretsIn(secret).every(isWebhookSecret)) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `The secret of webhooks.${name} cannot sign: it must be at least 24 bytes in base64, with whsec_ before it or not.`,
      cure: 'Make one with: echo whsec_$(openssl rand -base64 32)',
    })
  }
  for (const one of secretsIn(secret)) for (const text of [one, one.replace(/^whsec_/, '')]) secrets.redact(text)
  return secret
}

/** Two with a space between them both sign, so that a receiver can change its secret without an outage (Standard Webhooks, "Multiple signatures"). */
const secretsIn = (secret: string) => secret.split(/\s+/)

export interface WebhookTarget {
  url: string
  /** `whsec_` and base64, as Standard Webhooks writes it; several with a space between them. A secret. */
  secret: string
}

const TIMEOUT_MS = 15_000
const GONE = 410
/** Answers of 4xx that time heals: a time-out, too early, too many. */
const HEALED = new Set([408, 425, 429])
/** Answers of what stands before a receiver that is not there. */
const NOBODY_BEHIND = new Set([502, 503, 504])

/** Posts signed messages (Standard Webhooks 1.0), each try within `timeoutMs` from connecting to the head of the answer. Redirects are not followed: they could carry a report elsewhere. */
export function createWebhookSender({ timeoutMs = TIMEOUT_MS, way = {} }: { timeoutMs?: number; way?: WayOptions } = {}) {
  const dispatcher = new Agent({ connect: createConnector({ ...way, timeoutMs }), headersTimeout: timeoutMs, bodyTimeout: timeoutMs })

  async function post(
    target: WebhookTarget,
    message: { id: string; body: string; contentType: string },
    now = new Date(),
  ): Promise<SendResult> {
    const signature = secretsIn(target.secret)
      .map((secret) => new Webhook(secret).sign(message.id, now, message.body))
      .join(' ')
    try {
      const answer = await fetch(target.url, {
        method: 'POST',
        redirect: 'manual',
        dispatcher,
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          'content-type': message.contentType,
          'user-agent': `nightshift/${VERSION}`,
          'webhook-id': message.id,
          'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
          'webhook-signature': signature,
        },
        body: message.body,
      })
      await answer.body?.cancel()
      if (answer.ok) return { ok: true }
      const refused = answer.status >= 400 && answer.status < 500 && !HEALED.has(answer.status)
      const away = NOBODY_BEHIND.has(answer.status)
      return {
        ok: false,
        error: `HTTP ${answer.status}`,
        final: answer.status === GONE,
        ...(refused && { refused }),
        ...(away && { away }),
      }
    } catch (error) {
      const cause = error instanceof Error && error.cause ? error.cause : error
      const silent = cause instanceof Error && cause.name.endsWith('TimeoutError')
      return { ok: false, error: messageOf(cause), final: false, away: true, ...(silent && { silent }) }
    }
  }

  return { post, close: () => dispatcher.destroy() }
}

/** True for a secret that messages can be signed with: whole base64, so that sender and receiver read the same key. */
export function isWebhookSecret(secret: string): boolean {
  return /^(whsec_)?(?:[A-Za-z0-9+/]{4}){8,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(secret)
}
