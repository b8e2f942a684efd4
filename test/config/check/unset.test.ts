import { describe, expect, test } from 'vitest'
import { showFault } from '../../../src/config/places.ts'
import { loadToCheck } from '../../../src/config/check/unset.ts'
import { createConfigFiles } from '../../support/app/config-files.ts'

const { write } = createConfigFiles()

/** A file that takes all that it can from variables. */
const OF_VARIABLES = `gateway: { url: "\${GATEWAY}", caFile: "\${CA}" }
databaseUrl: postgres://night:\${PASSWORD}@db:5432/night
redisUrl: \${REDIS}
# databaseUrl: \${COMMENTED_OUT}
accounts:
  reports: { token: "\${TOKEN}" }
providers:
  openai: { apiKey: "\${KEY}", baseUrl: "https://\${HOST}/v1" }
webhooks:
  team: { url: "\${HOOK}", secret: "\${SECRET}" }
`

describe('a file is checked where no variable is set', () => {
  test('each is a note with its line, and no fault', () => {
    const file = write(OF_VARIABLES)
    const config = loadToCheck({ file, env: { HOST: 'models.example.com' } })
    const lines = { GATEWAY: 1, CA: 1, PASSWORD: 2, REDIS: 3, TOKEN: 6, KEY: 8, HOOK: 10, SECRET: 10 }
    expect(config.notes.filter((note) => note.includes('not set'))).toEqual(
      Object.entries(lines).map(
        ([name, line]) => `${file}:${line}: the variable ${name} is not set here; nightshift start refuses without it`,
      ),
    )
    expect(config.providers['openai']?.baseUrl).toBe('https://models.example.com/v1')
    expect(showFault(config, ['accounts', 'reports'], 'is there')).toBe(`${file}:6: accounts.reports is there`)
  })

  test('an address of Postgres that is a variable as a whole', () => {
    const file = write(OF_VARIABLES.replace('postgres://night:${PASSWORD}@db:5432/night', '${DATABASE}'))
    expect(loadToCheck({ file, env: {} }).notes.join('\n')).toContain('the variable DATABASE is not set here')
  })

  test.each([
    ['in a comment behind a value', 'dataDir: here # was ${UNUSED}'],
    ['in a line that is a comment', '  # dataDir: "${UNUSED}"'],
    ['as the characters themselves', 'dataDir: "$${UNUSED}"'],
    ['with a default', 'dataDir: "${UNUSED:-here}"'],
  ])('a variable that stands %s is none that start needs', (_, line) => {
    const { notes } = loadToCheck({ file: write(`${OF_VARIABLES}${line}\n`), env: { HOST: 'models.example.com' } })
    expect(notes.join('\n')).toContain('TOKEN is not set')
    expect(notes.join('\n')).not.toContain('UNUSED')
  })

  test('a sign of a comment in a text hides no variable', () => {
    const file = write(OF_VARIABLES.replace('"${SECRET}"', '"a #1 ${SECRET}"'))
    expect(loadToCheck({ file, env: { HOST: 'models.example.com' } }).notes.join('\n')).toContain('SECRET is not set')
  })

  test('what else is wrong is told as ever', () => {
    const file = write(`${OF_VARIABLES}wrong: 1\n`)
    expect(() => loadToCheck({ file, env: {} })).toThrow(/uses the variable GATEWAY, which is not set/)
    expect(() => loadToCheck({ file: write('wrong: 1\n'), env: {} })).toThrow(/wrong/)
  })
})
