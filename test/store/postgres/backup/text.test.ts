import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BackupFault } from '../../../../src/store/postgres/backup/format.ts'
import { createText } from '../../../../src/store/postgres/backup/text.ts'

/** A row as COPY writes it: no line break and no lone backslash. */
const row = fc.string({ unit: fc.constantFrom('a', 'ü', '\\\\', '\\.'.replace('\\', '\\\\'), '\\n', '\t', '.'), maxLength: 12 })
const pieces = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })

async function* cutInto(text: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, n = 0; at < text.length; n++) {
    const size = sizes[n % sizes.length] ?? 1
    yield text.subarray(at, at + size)
    at += size
  }
}

async function rowsOf(text: ReturnType<typeof createText>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of text.rows()) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test('rows come as they were written, however the text is cut, and what follows them is read on', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row), fc.array(row), pieces, async (first, second, sizes) => {
      const [one, two] = [first, second].map((rows) => rows.map((text) => `${text}\n`).join(''))
      const text = createText(cutInto(Buffer.from(`head\n${one}\\.\nbetween\n${two}\\.\nend\n`), sizes))
      expect(await text.line()).toBe('head')
      expect(await rowsOf(text)).toBe(one)
      expect(await text.line()).toBe('between')
      expect(await rowsOf(text)).toBe(two)
      expect(await text.line()).toBe('end')
      expect(await text.line()).toBeUndefined()
    }),
  )
})

test('a text that ends among its rows, or in a line, is no whole one', async () => {
  const whole = Buffer.from('head\na\nb\n\\.\n')
  for (let length = 1; length < whole.length; length++) {
    const read = async () => {
      const text = createText(cutInto(whole.subarray(0, length), [3]))
      await text.line()
      await rowsOf(text)
    }
    await expect(read(), `of ${length} bytes`).rejects.toThrow(BackupFault)
  }
})

test('a line without an end is given up', async () => {
  async function* endless() {
    for (;;) yield Buffer.alloc(65_536, 'a')
  }
  await expect(createText(endless()).line()).rejects.toThrow('a line that is too long')
})
