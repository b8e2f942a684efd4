import { Webhook } from 'standardwebhooks'
import { Agent, fetch } from 'undici'
import { messageOf } from '../../core/failure.ts'

export interface WebhookTarget {
  url: string
  /** `whsec_` and base64, as Standard Webhooks writes it. A secret. */
  secret: string
}

export type PostResult = { ok: true } | { ok: false; error: string; final: boolean }

const TIMEOUT_MS = 15_000
const GONE = 410

/** Posts signed messages (Standard Webhooks 1.0). Redirects are not followed: they could carry a report elsewhere. */
export function createWebhookSender() {
  const dispatcher = new Agent({ connectTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS })

  async function post(
    target: WebhookTarget,
    message: { id: string; body: string; contentType: string },
    now = new Date(),
  ): Promise<PostResult> {
    const signature = new Webhook(target.secret).sign(message.id, now, message.body)
    try {
      const answer = await fetch(target.url, {
        method: 'POST',
        redirect: 'manual',
        dispatcher,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          'content-type': message.contentType,
          'webhook-id': message.id,
          'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
          'webhook-signature': signature,
        },
        body: message.body,
      })
      await answer.body?.cancel()
      if (answer.ok) return { ok: true }
      return { ok: false, error: `HTTP ${answer.status}`, final: answer.status === GONE }
    } catch (error) {
      const cause = error instanceof Error && error.cause ? error.cause : error
      return { ok: false, error: messageOf(cause), final: false }
    }
  }

  return { post, close: () => dispatcher.destroy() }
}

/** True for a secret that messages can be signed with: whole base64, so that sender and receiver read the same key. */
export function isWebhookSecret(secret: string): boolean {
  return /^(whsec_)?(?:[A-Za-z0-9+/]{4}){8,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(secret)
}
