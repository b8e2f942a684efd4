import { expect, test } from 'vitest'
import { z } from 'zod'
import { buildTestApp } from '../../support/app/test-app.ts'

const job = (account: string) => `
account: ${account}
contract: none
model: { provider: openai, name: scripted }
prompt: Do it with the word Rumpelstiltskin.
tools:
  labor: { allow: [describe_tables], repeatable: [describe_tables], minCalls: 0 }
`
const labelsSchema = z.looseObject({
  metadata: z.record(z.string(), z.string()).optional(),
  safety_identifier: z.string().optional(),
})

async function labelsOf(metadata: boolean | undefined) {
  await using testApp = await buildTestApp({
    jobs: { report: job('reports'), other: job('reports') },
    scripts: { scripted: 'say done' },
    ...(metadata !== undefined && { metadata }),
  })
  const ids: string[] = []
  for (const name of ['report', 'other']) ids.push((await testApp.run(name)).id)
  return { ids, labels: z.array(labelsSchema).parse(testApp.world.model.requests) }
}

test('a provider that is to be told is told the run, its job and attempt, and a digest of the account', async () => {
  const { ids, labels } = await labelsOf(true)
  expect(labels.map(({ metadata }) => metadata)).toEqual([
    { run: ids[0], job: 'report', attempt: '1' },
    { run: ids[1], job: 'other', attempt: '1' },
  ])
  const users = new Set(labels.map((one) => one.safety_identifier))
  expect([...users]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)])
})

test.each([undefined, false])(
  'an address that is not OpenAI’s is told nothing of it, unless it is to be (metadata: %s)',
  async (metadata) => {
    const { labels } = await labelsOf(metadata)
    expect(labels).toHaveLength(2)
    for (const one of labels)
      expect(Object.keys(one)).not.toEqual(expect.arrayContaining([expect.stringMatching(/metadata|safety_identifier/)]))
  },
)
