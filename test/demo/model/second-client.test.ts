import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { generateText, jsonSchema, stepCountIs, streamText, tool, type ToolSet } from 'ai'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { hostedApp, type HostedApp } from '../../support/app/hosted.ts'

// A client that shares no code with ours reads what the scripted provider says.

function openaiOf({ testApp: { world } }: HostedApp) {
  const openai = createOpenAI({ baseURL: world.model.url, apiKey: 'demo-model-key' })
  const counting = openai.tools.mcp({
    serverLabel: 'counting',
    serverUrl: 'https://counting.localhost.pomerium.io',
    headers: { authorization: `Bearer Pomerium-${world.account.jwt}` },
    allowedTools: ['act', 'look'],
    requireApproval: 'never',
  })
  // Its types do not allow for exact optional properties.
  const tools = z.custom<ToolSet>((value) => typeof value === 'object').parse({ counting })
  return { openai, tools }
}

const SCRIPT = 'call counting__act {"n": 1}\ncall counting__look {}\nsay $1 and $2'

test('another client reads a hosted answer', async () => {
  await using one = await hostedApp(SCRIPT)
  const { openai, tools } = openaiOf(one)
  const answer = await generateText({ model: openai.responses('scripted'), prompt: 'Do it.', tools })
  expect(answer.text).toBe('done and done')
  expect(answer.finishReason).toBe('stop')
  expect(answer.toolCalls.map(({ toolName, input }) => ({ toolName, input }))).toMatchObject([
    { toolName: 'mcp.act', input: { n: 1 } },
    { toolName: 'mcp.look' },
  ])
  expect(answer.usage.inputTokens).toBeGreaterThan(0)
  expect(one.server.effects).toHaveLength(1)
})

test('another client reads the stream of a hosted answer', async () => {
  await using one = await hostedApp(SCRIPT)
  const { openai, tools } = openaiOf(one)
  const answer = streamText({ model: openai.responses('scripted'), prompt: 'Do it.', tools })
  const kinds = new Set<string>()
  for await (const part of answer.fullStream) kinds.add(part.type)
  expect(await answer.text).toBe('done and done')
  expect([...kinds]).toEqual(expect.arrayContaining(['tool-call', 'tool-result', 'text-delta', 'finish']))
  expect([...kinds]).not.toContain('error')
})

test.each(['responses', 'chat', 'messages'] as const)('another client runs the loop over its own tools (%s)', async (api) => {
  await using one = await hostedApp('call add {"a": 1, "b": 2}\nsay It is $1.')
  const { openai } = openaiOf(one)
  const anthropic = createAnthropic({ baseURL: one.testApp.world.model.url, apiKey: 'demo-model-key' })
  const add = tool({
    inputSchema: jsonSchema<{ a: number; b: number }>({
      type: 'object',
      required: ['a', 'b'],
      properties: { a: { type: 'number' }, b: { type: 'number' } },
    }),
    execute: ({ a, b }) => String(a + b),
  })
  const model = api === 'messages' ? anthropic.messages('scripted') : openai[api]('scripted')
  const asked = { model, prompt: 'Add.', tools: { add }, stopWhen: stepCountIs(3) }
  expect((await generateText(asked)).text).toBe('It is 3.')
  expect(await streamText(asked).text).toBe('It is 3.')
})

test('another client reads an answer of the connector, and its stream', async () => {
  await using one = await hostedApp(SCRIPT)
  const { world } = one.testApp
  const anthropic = createAnthropic({ baseURL: world.model.url, apiKey: 'demo-model-key' })
  const mcpServers = [
    {
      type: 'url' as const,
      name: 'counting',
      url: 'https://counting.localhost.pomerium.io',
      authorizationToken: `Pomerium-${world.account.jwt}`,
      toolConfiguration: { enabled: true, allowedTools: ['act', 'look'] },
    },
  ]
  const asked = { model: anthropic.messages('scripted'), prompt: 'Do it.', providerOptions: { anthropic: { mcpServers } } }
  const answer = await generateText(asked)
  expect(answer.text).toBe('done and done')
  expect(answer.toolCalls.map(({ toolName, input }) => ({ toolName, input }))).toEqual([
    { toolName: 'act', input: { n: 1 } },
    { toolName: 'look', input: {} },
  ])
  expect(answer.toolResults).toHaveLength(2)
  expect(await streamText(asked).text).toBe('done and done')
  expect(one.server.effects).toHaveLength(2)
})

test('another client sees a failure as one', async () => {
  await using one = await hostedApp('always fail 401 invalid_api_key')
  const { openai, tools } = openaiOf(one)
  await expect(generateText({ model: openai.responses('scripted'), prompt: 'Do it.', tools, maxRetries: 0 })).rejects.toThrow(
    'Scripted failure 401.',
  )
})
