import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { openProvider, type ProviderBehaviour } from '../../support/model/provider.ts'

const tools = [{ name: 'shop__look', description: 'looks', parameters: { type: 'object' } }]
const labels = { run: 'run_1', job: 'report', attempt: '2', user: 'f'.repeat(64) }
const metadata = { run: 'run_1', job: 'report', attempt: '2' }
const bodySchema = z.looseObject({ tool_choice: z.unknown().optional() })

/** The fields of the request that a provider is sent. */
async function sent(behaviour: ProviderBehaviour) {
  const bodies: z.output<typeof bodySchema>[] = []
  await using opened = await openProvider(behaviour, (res, body) => {
    bodies.push(bodySchema.parse(body))
    res.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}')
  })
  await opened.ask()
  const [first] = bodies
  if (!first) throw new Error('nothing was sent')
  return first
}

const ways = (['responses', 'chat'] as const).flatMap((way) => [true, false].map((stream) => ({ way, stream })))

describe.each(ways)('$way, streamed $stream', (behaviour) => {
  const choiceOf = async (request: ProviderBehaviour['request']) => (await sent({ ...behaviour, request: { ...request } })).tool_choice

  test('a turn that must begin with a call says so, and no other one does', async () => {
    expect(await choiceOf({ tools, needsCall: true })).toBe('required')
    expect(await choiceOf({ tools, needsCall: false })).toBeUndefined()
    expect(await choiceOf({ tools })).toBeUndefined()
    expect(await choiceOf({ tools: [], needsCall: true })).toBeUndefined()
    expect(await choiceOf({ tools, mayCall: false, needsCall: true })).toBe('none')
    expect(await choiceOf({ tools, mayCall: false, mustCall: 'shop__look' })).toMatchObject({ type: 'function' })
  })

  test('a provider is told which run it is, and whose, only where it is to be', async () => {
    const told = await sent({ ...behaviour, labels: true, store: true, request: { labels } })
    expect(told).toMatchObject({ metadata, safety_identifier: labels.user })
    for (const given of [{ labels: false, request: { labels } }, { labels: true }])
      expect(await sent({ ...behaviour, ...given, store: true })).not.toHaveProperty('safety_identifier')
    expect(await sent({ ...behaviour, labels: false, store: true, request: { labels } })).not.toHaveProperty('metadata')
  })

  test('no label is longer than a provider takes', async () => {
    const long = { ...labels, job: 'j'.repeat(5000) }
    expect(await sent({ ...behaviour, labels: true, store: true, request: { labels: long } })).toMatchObject({
      metadata: { job: 'j'.repeat(512) },
    })
  })
})

test('a provider that calls the tools itself is told the same', async () => {
  expect(await sent({ way: 'hosted', stream: true, labels: true, request: { labels } })).toMatchObject({
    metadata,
    safety_identifier: labels.user,
  })
  expect(await sent({ way: 'hosted', stream: true, labels: false, request: { labels } })).not.toHaveProperty('metadata')
})

test.each([undefined, false])('the Chat API takes metadata only with what it keeps (store: %s)', async (store) => {
  const given = { stream: true, labels: true, request: { labels }, ...(store !== undefined && { store }) }
  const chat = await sent({ way: 'chat', ...given })
  expect(chat).toMatchObject({ safety_identifier: labels.user })
  expect(chat).not.toHaveProperty('metadata')
  expect(await sent({ way: 'responses', ...given })).toMatchObject({ metadata })
})
