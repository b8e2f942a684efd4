import { expect, test } from 'vitest'
import { isUnreadable, keepResult, keepText, type Keeping } from '../../../../src/core/rules/reading/keep.ts'

const keeping = (change: Partial<Keeping> = {}): Keeping => ({
  resultBytes: 40,
  keptBytes: 1000,
  canRead: true,
  redact: (text) => text.replaceAll('hunter2', '***'),
  ...change,
})
/** Lines of ten bytes. */
const lines = (count: number) => Array.from({ length: count }, (_, at) => `line ${String(at).padStart(4, '0')}\n`).join('')

test('a result that fits is shown as it is, and nothing of it is kept beside', async () => {
  expect(await keepResult('t1c1', 'x'.repeat(40), keeping())).toEqual({ text: 'x'.repeat(40), truncated: false })
})

test('what is shown has no secrets, and no half letters', async () => {
  expect(await keepResult('t1c1', 'a hunter2 \ud800', keeping())).toEqual({ text: 'a *** \ufffd', truncated: false })
  const { keep } = await keepResult('t1c1', `${lines(6)}hunter2\n${lines(6)}`, keeping())
  expect(keep?.text).toBe(`${lines(6)}***\n${lines(6)}`)
})

test('of a larger one the ends are shown, with what is left out, what it looks like and how to read on; all of it is kept', async () => {
  expect(await keepResult('t3c1', lines(10), keeping())).toEqual({
    text: [
      '[Result t3c1 has 100 bytes (text of 10 lines). It is shown in part: the beginning and the end. Read the rest with nightshift__read_result, or search it, before you say anything that depends on it.]',
      'line 0000\nline 0001\nline 0002',
      '[61 bytes of 100 bytes are left out here]',
      'line 0009\n',
    ].join('\n'),
    truncated: true,
    keep: { text: lines(10), whole: true, rest: null },
  })
})

test('what is larger than is kept, is kept without its middle, and the model is told so', async () => {
  const shown = await keepResult('t3c1', lines(200), keeping())
  expect(shown.text).toContain('It is shown in part: the beginning and the end. More was sent than is kept.')
  expect(shown.text).toContain('[1.9 KB of 2.0 KB are left out here]')
  expect(shown.keep).toEqual({
    text: `${lines(75).trimEnd()}\n[1011 bytes of 2.0 KB are left out here]\n${lines(200).slice(-240)}`,
    whole: false,
    rest: null,
  })
})

test('as much is kept as is shown, where less was to be kept', async () => {
  expect((await keepResult('t3c1', lines(200), keeping({ resultBytes: 1000, keptBytes: 10 }))).keep?.text).toContain('line 0070')
})

test('a model without a tool to read is told that the rest cannot be read', async () => {
  expect((await keepResult('t3c1', lines(10), keeping({ canRead: false }))).text).toContain('The rest cannot be read here')
})

test('without an id nothing is said of how to read on', async () => {
  expect((await keepResult(undefined, lines(10), keeping())).text).toBe(
    'line 0000\nline 0001\nline 0002\n[61 bytes of 100 bytes are left out here]\nline 0009\n',
  )
})

test('what the server says of a rest is kept beside the text', async () => {
  expect((await keepResult('t3c1', `${lines(10)}Showing 10 of 300 lines`, keeping())).keep?.rest?.said).toBe('Showing 10 of 300')
})

test('what is kept is written as text, and named with what is known of it', async () => {
  const written: unknown[] = []
  const journal = {
    keepContent: (content: { content: Buffer; mediaType: string }) => {
      written.push([content.content.toString(), content.mediaType])
      return Promise.resolve({ digest: 'a1', bytes: 3, mediaType: content.mediaType })
    },
  }
  expect(await keepText(journal, { text: 'äb', whole: true, rest: null })).toEqual({
    digest: 'a1',
    bytes: 3,
    mediaType: 'text/plain',
    whole: true,
    rest: null,
  })
  expect(await keepText(journal, undefined)).toBeUndefined()
  expect(written).toEqual([['äb', 'text/plain']])
})

test.each<[truncated: boolean, whole: boolean | undefined, canRead: boolean, isUnreadable: boolean]>([
  [false, undefined, false, false],
  [true, true, true, false],
  [true, true, false, true],
  [true, false, true, true],
  [true, undefined, true, true],
])(
  'shown in part: %s, kept as a whole: %s, can be read: %s — then nobody could read all of it: %s',
  (truncated, whole, canRead, expected) => {
    expect(isUnreadable({ truncated, kept: whole === undefined ? undefined : { whole } }, canRead)).toBe(expected)
  },
)
