// Marks for the cache, against a server that counts what it keeps as the API publishes it.
import { expect, test } from 'vitest'
import { createProvider } from '../../../src/models/anthropic/provider.ts'
import type { Exchange } from '../../../src/models/model.ts'
import { script } from '../../../src/demo/model/script.ts'
import { startDemoModel } from '../../../src/demo/model/model.ts'

const tool = { name: 'look', description: 'Looks.', parameters: { type: 'object' } }
const TURNS = 12
/** More blocks in a turn than the server looks back for what it keeps. */
const AT_ONCE = 25
const RESULT = 'a row of the table; '.repeat(100)

test('each turn reads from the cache all that the turn before it sent', async () => {
  const calls = Array.from({ length: AT_ONCE }, (_, n) => `look {"n": ${n}}`).join(' & ')
  await using server = await startDemoModel({
    scripts: { m: script(`${Array.from({ length: TURNS }, () => `call ${calls}`).join('\n')}\nsay done`) },
  })
  const provider = createProvider({ name: 'p', baseUrl: server.url, apiKey: () => undefined, stream: true, labels: false, timeoutMs: 5000, maxResponseBytes: 1_048_576, formatWithTools: true, maxTokensOf: () => undefined, redact: (text) => text }) // prettier-ignore
  const exchanges: Exchange[] = []
  const { signal } = new AbortController()
  const used: { input: number; cached: number; written: number }[] = []
  for (let turn = 0; turn <= TURNS; turn++) {
    const request = {
      instructions: `Be exact. ${RESULT.repeat(3)}`,
      prompt: 'Do it.',
      exchanges,
      tools: [tool],
      mayCall: true,
      output: undefined,
    }
    const { items, usage } = await provider.model('m').respond(request, signal)
    used.push({ input: usage?.inputTokens ?? 0, cached: usage?.cachedTokens ?? 0, written: usage?.cacheWriteTokens ?? 0 })
    const results = items.flatMap((item) => (item.type === 'tool_call' ? [{ callId: item.callId, text: RESULT }] : []))
    exchanges.push({ items, results })
  }
  await provider.close()
  // The last turn is the answer.
  expect(exchanges.at(-1)?.items).toMatchObject([{ type: 'message', text: 'done' }])
  for (const [at, { input, cached, written }] of used.entries()) {
    expect(cached, `turn ${at}`).toBe(used[at - 1]?.input ?? 0)
    expect(written).toBe(input - cached)
  }
  const sum = (of: 'input' | 'cached') => used.reduce((all, one) => all + one[of], 0)
  expect(sum('cached') / sum('input')).toBeGreaterThan(0.8)
})
