import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { parseSync, Visitor } from 'oxc-parser'
import { expect, test, vi } from 'vitest'
import { whySlow } from '../scripts/lint/patterns.js'

const SRC = join(import.meta.dirname, '../src')

interface Pattern {
  file: string
  source: string
  flags: string
}

/** Every regular expression that is written in a file of ours. */
function written(): Pattern[] {
  const found: Pattern[] = []
  for (const file of globSync('**/*.{ts,js}', { cwd: SRC })) {
    const { program } = parseSync(file, readFileSync(join(SRC, file), 'utf8'))
    new Visitor({
      Literal(node) {
        if ('regex' in node) found.push({ file, source: node.regex.pattern, flags: node.regex.flags })
      },
    }).visit(program)
  }
  return found
}

/** Those that files put together of texts when they are read. */
async function built(): Promise<Pattern[]> {
  const found: Pattern[] = []
  let file = ''
  vi.resetModules()
  vi.stubGlobal(
    'RegExp',
    new Proxy(RegExp, {
      construct(target, [source, flags]: [string | RegExp, string?]) {
        const pattern = new target(source, flags)
        found.push({ file, source: pattern.source, flags: pattern.flags })
        return pattern
      },
    }),
  )
  try {
    for (file of globSync('**/*.ts', { cwd: SRC }))
      if (/new RegExp\(/.test(readFileSync(join(SRC, file), 'utf8'))) await import(join(SRC, file))
  } finally {
    vi.unstubAllGlobals()
  }
  return found
}

/** What stands for the characters that a class has and does not name. */
const USUAL = 'aZ0 \n\t\r"\'\\/-_.:,;{}[](<>`=&@#$%é\ud83d\ude00\0\ud83d'
const LENGTH = 100_000

/** Each character alone that it names or may mean, and each of its words, over and over. */
const piecesOf = ({ source }: Pattern) => [...new Set([...Array.from(USUAL), ...Array.from(source), ...(source.match(/\w{2,}/g) ?? [])])]

const MATCHER = `
  const { parentPort, workerData } = require('node:worker_threads')
  for (const { source, flags, pieces } of workerData) {
    parentPort.postMessage(source)
    const pattern = new RegExp(source, flags.includes('g') ? flags : flags + 'g')
    for (const piece of pieces) piece.repeat(${LENGTH} / piece.length).replace(pattern, '')
  }
`
/** All of it takes seconds; a pattern that is not linear takes longer than this for one text. */
const LIMIT_MS = 50_000

/** The pattern at which matching does not come to an end; undefined when it comes to the end of all. */
async function stuckAt(patterns: readonly Pattern[]): Promise<string | undefined> {
  const worker = new Worker(MATCHER, { eval: true, workerData: patterns.map((one) => ({ ...one, pieces: piecesOf(one) })) })
  const signal = AbortSignal.timeout(LIMIT_MS)
  let at = 'the first'
  worker.on('message', (source: string) => (at = source))
  try {
    await once(worker, 'exit', { signal })
    return undefined
  } catch (error) {
    if (signal.aborted) return at
    throw error
  } finally {
    await worker.terminate()
  }
}

test('no pattern of ours takes more than linear time, by its structure', async () => {
  const patterns = [...written(), ...(await built())]
  expect(patterns.length).toBeGreaterThan(200)
  const slow = patterns.flatMap(({ file, source, flags }) => {
    const why = whySlow(source, flags)
    return why === undefined ? [] : [`${file}: /${source}/${flags}: ${why}`]
  })
  expect(slow).toEqual([])
})

test('every pattern of ours comes to an end over 100 KB of any character', async () => {
  expect(await stuckAt([...written(), ...(await built())])).toBeUndefined()
})

test.each([
  ['blank lines before a fence', String.raw`^\s*${'`'}{3}(?:json)?\s*\n([\s\S]*?)\n\s*${'`'}{3}\s*$`],
  ['space at an end', String.raw`\s+$`],
  ['a repetition of a repetition', '(a+)+$'],
])('the rule finds a pattern of %s', (_, source) => {
  expect(whySlow(source, '')).toBeDefined()
})
