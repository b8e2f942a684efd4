import { expect, test } from 'vitest'
import { countingRoute, startCountingServer } from '../support/mcp/counting-server.ts'
import { command } from '../support/cli/command.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { countingJob } from '../support/app/jobs.ts'

/** Clears the screen, sets the title, turns the reading order, and hides what follows. */
const HOSTILE = '\u001b[2J\u001b]0;title\u0007\u202eevil\u2066\u009b31m\u0000\r'
const ACTIVE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/

const job = (more = '') => countingJob({ retry: '{ attempts: 1, backoff: 1ms }', more })

/** Arguments in which the hostile text is a name and a value. */
const ARGUMENTS = JSON.stringify({ [HOSTILE]: HOSTILE })
const ENDING = JSON.stringify({ because: 'other', what: HOSTILE, tried: HOSTILE, draft: HOSTILE })

test.each([
  ['a tool result that the answer repeats', 'call counting__act {"n": 1}\nsay $1', ''],
  ['arguments', `call counting__act ${ARGUMENTS}\nsay done`, ''],
  ['the name of a tool', `call counting__${HOSTILE.replace('\r', '')} {}\nsay done`, ''],
  ['a refusal', `refuse no ${HOSTILE.replace('\r', '')}`, ''],
  ['the ending of a run', `call nightshift__incomplete ${ENDING}`, ''],
  ['an answer that is cut', `truncate ${HOSTILE.replace('\r', '')}`, ''],
  ['an answer that does not match its schema', 'call counting__act {}\nsay {"title": "$1"}\nsay $1\nsay $1', 'output: { schema: { type: object, required: [title], properties: { title: { type: integer } } } }'], // prettier-ignore
])('%s with text that a terminal would act on is neutral on every screen, and as it was with --json', async (_, script, extra) => {
  await using server = await startCountingServer(() => HOSTILE)
  await using testApp = await buildTestApp({ routes: [countingRoute(server)], jobs: { work: job(extra) }, scripts: { scripted: script } })
  const at = ['-c', testApp.world.configFile]
  await testApp.app.worker.start()
  const followed = await command([...at, 'run', 'work', '--follow'])
  const id = /run_\S+/.exec(followed.out)?.[0] ?? ''
  const shown = await command([...at, 'show', id])
  const listed = await command([...at, 'runs'], { columns: 80 })
  for (const { out, err } of [followed, shown, listed]) {
    expect(out).not.toMatch(ACTIVE)
    expect(err).not.toMatch(ACTIVE)
  }
  const run: unknown = JSON.parse((await command([...at, 'show', id, '--json'])).out)
  expect(JSON.stringify(run)).toContain(JSON.stringify('\u202eevil').slice(1, -1))
})
