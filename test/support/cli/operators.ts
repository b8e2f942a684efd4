import { expect } from 'vitest'
import { loadRun } from '../../../src/store/runs/show.ts'
import { buildTestApp, type TestApp } from '../app/test-app.ts'
import { command } from './command.ts'

/** A job that may do what its model says, and is tried once. */
export const JOB = `
account: reports
contract: none
model: { provider: openai, name: scripted }
prompt: Do it{% if input.n %} {{ input.n }}{% endif %}.
input: { type: object, properties: { n: { type: integer } } }
tools:
  labor: { allow: [query], minCalls: 0 }
retry: { attempts: 1 }
`
export const SCHEDULED = `${JOB}schedule: { cron: "0 7 * * *", timezone: UTC }\n`

/** A command line on the configuration of an app. */
export const at = (testApp: TestApp, ...args: string[]) => ['-c', testApp.world.configFile, ...args]
/** What is understood of times and filters, and what keeps a run from starting: people are told also with --json. */
const UNDERSTOOD =
  /^(?:--[a-z-]+ is \d{4}-\S+Z\.|Meant are runs .*|runs +job +status +code| +\d+ {2}.*|\d+ fires? of .*|It does not start yet: .*|No run has the tag .*)$/

/** What a command gives with --json, and nothing beside it but what was understood. */
export const json = async (testApp: TestApp, ...args: string[]): Promise<unknown> => {
  const { code, out, err } = await command(at(testApp, ...args, '--json'))
  expect({ code, err: err.split('\n').filter((line) => line !== '' && !UNDERSTOOD.test(line)) }).toEqual({ code: 0, err: [] })
  return JSON.parse(out)
}
export const statusOf = async (testApp: TestApp, id: string) => (await loadRun(testApp.app.db, id))?.status

/** Runs of two jobs: some have failed, one is green. */
export async function withFailures() {
  const testApp = await buildTestApp({ jobs: { act: JOB, other: JOB }, scripts: { scripted: 'fail 400\nfail 400\nsay done' } })
  const failed = [await testApp.run('act'), await testApp.run('other')]
  return {
    testApp,
    failed: failed.map(({ id }) => id),
    green: (await testApp.run('act')).id,
    [Symbol.asyncDispose]: () => testApp[Symbol.asyncDispose](),
  }
}
