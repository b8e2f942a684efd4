import { expect, test } from 'vitest'
import { askOfJobs } from '../../../src/doctor/live/jobs.ts'
import { command } from '../../support/cli/command.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { aTool, startScriptedServer } from '../../support/mcp/scripted-server.ts'

const job = (tools: string, model = 'scripted') => `account: reports
model: { provider: openai, name: ${model} }
prompt: Do it.
tools:
${tools}`

test('jobs check --live asks servers and providers once, and says where a name is not there and which was meant', async () => {
  await using server = await startScriptedServer()
  server.on['tools/list'] = (seen) => seen.result({ tools: [aTool('act'), aTool('look_up')] })
  await using testApp = await buildTestApp({
    jobs: {
      good: job('  pinned: { allow: [act, look_*], repeatable: [look_up] }\n'),
      misspelt: job('  pinned:\n    allow:\n      - act\n      - lok_up\n    repeatable: [lok_up]\n'),
      nowhere: job('  pined: { allow: [act] }\n'),
      optional: job('  other: { allow: [act], required: false }\n  pinned: { allow: [act] }\n'),
      unlisted: job('  pinned: { allow: [act] }\n', 'scrpted'),
    },
    routes: [
      {
        name: 'pinned',
        from: 'https://pinned.localhost.pomerium.io',
        to: server.url,
        kind: 'mcp-server',
        policy: { allowUsers: ['svc-reports'] },
      },
    ],
    scripts: { scripted: 'say done' },
  })
  const at = ['-c', testApp.world.configFile, 'jobs', 'check']
  expect(await command(at)).toMatchObject({ code: 0, out: '5 jobs valid, 0 faults.' })

  const live = await command([...at, '--live'])
  const lines = live.err.split('\n').map((line) => line.slice(line.lastIndexOf('/') + 1))
  expect(lines).toEqual([
    'misspelt.yaml:8: tools.pinned.allow.1 names lok_up, which the server does not offer; did you mean look_up?',
    'misspelt.yaml:9: tools.pinned.repeatable.0 names lok_up, which the server does not offer; did you mean look_up?',
    'nowhere.yaml:5: tools.pined is no MCP route that Pomerium lists for the account; did you mean pinned?',
    expect.stringMatching(/^optional\.yaml:5: tools\.other is no MCP route that Pomerium lists for the account; known are .*pinned/),
  ])
  expect(live).toMatchObject({ code: 2, out: '3 jobs valid, 3 faults, 1 warning.' })
  expect(server.seen.filter(({ kind }) => kind === 'tools/list')).toHaveLength(1)
  expect(server.seen.filter(({ kind }) => kind === 'tools/call')).toEqual([])

  // The stand-in of the model lists none.
  const { app } = testApp
  const openai = app.resources.providers.get('openai')
  if (!openai) throw new Error('there is no provider openai')
  const providers = new Map([['openai', { ...openai, knows: (name: string) => Promise.resolve(name === 'scripted') }]])
  const asked = await askOfJobs(
    [...app.jobs.jobs().values()],
    { ...app, resources: { ...app.resources, providers } },
    AbortSignal.timeout(60_000),
  )
  expect(asked.issues.at(-1)).toMatch(/unlisted\.yaml:2: model\.name is scrpted, which openai does not list; correct it$/)
  expect([...asked.faulty].toSorted()).toEqual(['misspelt', 'nowhere', 'unlisted'])

  server.on['tools/list'] = ({ res }) => void res.writeHead(500).end()
  expect((await command([...at, '--live'])).err).toContain('good.yaml:5: tools.pinned could not be asked for its tools:')
})
