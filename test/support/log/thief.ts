import { fetch } from 'undici'
import { createDispatcher } from '../../../src/pomerium/dispatcher.ts'
import type { TestApp } from '../app/test-app.ts'

export interface Thief extends AsyncDisposable {
  /** Makes a tool call with the account's token, past Nightshift. Returns the gateway's request id. */
  call(url: string, tool: string, args: Record<string, unknown>, headers?: Record<string, string>): Promise<string>
  get(url: string): Promise<string>
}

/** Somebody who has the token of a testApp's account and is no part of it. */
export function createThief({ world, app }: TestApp): Thief {
  const dispatcher = createDispatcher({ address: world.gateway.address, caFile: app.config.gateway.caFile })
  const send = async (url: string, init: { method: string; headers: Record<string, string>; body?: string }) => {
    const headers = {
      authorization: `Bearer Pomerium-${world.account.jwt}`,
      accept: 'application/json, text/event-stream',
      ...init.headers,
    }
    const answer = await fetch(url, { ...init, dispatcher, headers })
    await answer.text()
    await world.gateway.flushLog()
    return answer.headers.get('x-request-id') ?? ''
  }
  return {
    call: (url, name, args, headers = {}) =>
      send(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ method: 'tools/call', params: { name, arguments: args }, jsonrpc: '2.0', id: 1 }),
      }),
    get: (url) => send(url, { method: 'GET', headers: {} }),
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  }
}
