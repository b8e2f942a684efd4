import { Agent, fetch } from 'undici'
import { z } from 'zod'
import { Failure, messageOf } from '../core/failure.ts'
import { parseJson, tryParse } from '../lib/json/parse.ts'

const mintedSchema = z.strictObject({ id: z.string().min(1), jwt: z.string().min(1) })
const endedSchema = z.strictObject({ ended: z.int().min(0) })
const refusedSchema = z.looseObject({ error: z.string() })

/** Gets service accounts for single runs from the minter process. A worker never sees Pomerium's shared secret. */
export interface MinterClient {
  mint(request: { runId: string; userId: string; expiresAt: Date }): Promise<{ id: string; jwt: string }>
  /** Deletes an account early. Never throws: false when it may live. */
  end(id: string): Promise<boolean>
  /** Deletes all accounts of a run that is over, as the gateway lists them. Returns how many there were. Throws when one may live. */
  endRun(runId: string): Promise<number>
  close(): Promise<void>
}

const TIMEOUT_MS = 15_000

export function createMinterClient(socketPath: string): MinterClient {
  const dispatcher = new Agent({ connect: { socketPath } })
  const send = (method: string, path: string, body?: unknown) =>
    fetch(`http://minter${path}`, {
      method,
      dispatcher,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
  return {
    async mint({ runId, userId, expiresAt }) {
      let status: number
      let text: string
      try {
        const answer = await send('POST', '/accounts', { runId, userId, expiresAt: expiresAt.toISOString() })
        status = answer.status
        text = await answer.text()
      } catch (cause) {
        const why = messageOf(cause instanceof Error && cause.cause ? cause.cause : cause)
        throw new Failure({
          code: 'MINTER_REFUSED',
          retry: 'later',
          message: `The minter at ${socketPath} does not answer: ${why}.`,
          cause,
        })
      }
      if (status === 201) return mintedSchema.parse(parseJson(text))
      const why = refusedSchema.safeParse(tryParse(text)).data?.error ?? `HTTP ${status}`
      throw new Failure({
        code: 'MINTER_REFUSED',
        retry: status === 429 || status >= 500 ? 'later' : 'never',
        message: `The minter gives no account for this run: ${why}.`,
      })
    },
    async end(id) {
      try {
        const answer = await send('DELETE', `/accounts/${encodeURIComponent(id)}`)
        await answer.body?.cancel()
        return answer.ok
      } catch {
        return false
      }
    },
    async endRun(runId) {
      const answer = await send('DELETE', `/runs/${encodeURIComponent(runId)}/accounts`)
      const text = await answer.text()
      if (answer.ok) return endedSchema.parse(parseJson(text)).ended
      const why = refusedSchema.safeParse(tryParse(text)).data?.error ?? `HTTP ${answer.status}`
      throw new Failure({ code: 'MINTER_REFUSED', retry: 'later', message: `The minter did not end the accounts of ${runId}: ${why}.` })
    },
    close: () => dispatcher.destroy(),
  }
}
