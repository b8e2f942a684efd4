import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { CATALOGUE_DATE } from '../../../../src/models/catalogue/models.ts'
import { command } from '../../../support/cli/command.ts'

const dir = mkdtempSync(join(tmpdir(), 'nightshift-models-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const file = join(dir, 'nightshift.yaml')
mkdirSync(join(dir, 'jobs'))
writeFileSync(
  file,
  `gateway: { url: "https://pomerium.example" }
jobsDir: jobs
accounts: { reports: { tokenFile: token } }
providers:
  openai: { apiKey: "sk-1234567890" }
  mine: { api: chat, baseUrl: "http://127.0.0.1:1/v1" }
prices:
  mine/own: { input: 1, cachedInput: 0.5, output: 2, tiers: { priority: { input: 4, cachedInput: 2, output: 8 } } }
models:
  own: { windowTokens: 8192, readsImages: false }
`,
)
const job = (model: string) => `account: reports\nmodel: { ${model} }\nprompt: Go\ntools: { labor: { allow: [query] } }\n`
writeFileSync(
  join(dir, 'jobs/night.yaml'),
  job('provider: openai, name: gpt-5-mini, tier: flex, fallback: [{ provider: mine, name: own }]'),
)
writeFileSync(join(dir, 'jobs/day.yaml'), job('provider: mine, name: gpt-5-mini'))

test('the models that jobs name, with who says what they cost, in 80 columns', async () => {
  const { code, out, err } = await command(['--config', file, 'models'])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out.split('\n').filter((line) => line.length > 80)).toEqual([])
  expect(out).toMatchInlineSnapshot(`
    "model              window  answer  tier         in  cached  out  from
    mine/gpt-5-mini         ?       ?  default       ?       ?    ?  unknown
    openai/gpt-5-mini    400k    128k  default    0.25   0.025    2  catalogue
                                       flex      0.125  0.0125    1
    mine/own               8k       ?  default       1     0.5    2  configuration
                                       flex        0.5    0.25    1
                                       priority      4       2    8

    USD for a million tokens; catalogue of 2026-09-23, below prices: and models:."
  `)
})

test('the same as JSON, each with its jobs; and with --all what else the catalogue has of the providers', async () => {
  const of = async (...more: string[]) => JSON.parse((await command(['--config', file, 'models', '--json', ...more])).out)
  const known = await of()
  expect(known).toMatchObject({
    catalogue: CATALOGUE_DATE,
    models: [
      {
        provider: 'mine',
        name: 'gpt-5-mini',
        jobs: ['day'],
        windowTokens: null,
        prices: { default: null },
        from: { limits: null, price: null },
      },
      { provider: 'openai', name: 'gpt-5-mini', jobs: ['night'], prices: { default: { input: 0.25 }, flex: { input: 0.125 } } },
      { provider: 'mine', name: 'own', jobs: ['night'], windowTokens: 8192, prices: { flex: { input: 0.5 }, priority: { output: 8 } } },
    ],
  })
  expect((await of('--all')).models.length).toBeGreaterThan(known.models.length + 10)
})
