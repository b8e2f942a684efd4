// @ts-nocheck
import { expect, test } from 'vitest'
import { resultText, type CallResult } from '../../src/mcp/content.ts'

const TEN_BYTES = Buffer.from('0123456789').toString('base64')

const cases: [string, CallResult, string][] = [
  ['text', { content: [{ type: 'text', text: 'hello' }] }, 'hello'],
  [
    'texts',
    {
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    },
    'a\nb',
  ],
  ['an image', { content: [{ type: 'image', data: TEN_BYTES, mimeType: 'image/png' }] }, '[image image/png, 10 bytes, not shown]'],
  ['a sound', { content: [{ type: 'audio', data: TEN_BYTES, mimeType: 'audio/wav' }] }, '[audio audio/wav, 10 bytes, not shown]'],
  ['an image without its type', { content: [{ type: 'image', data: TEN_BYTES }] }, '[image of unknown type, 10 bytes, not shown]'],
  ['an image without data', { content: [{ type: 'image', mimeType: 'image/png' }] }, '[image image/png, 0 bytes, not shown]'],
  ['a link', { content: [{ type: 'resource_link', uri: 'file:///a', name: 'a' }] }, '[link a file:///a, not fetched]'],
  ['a link without a name', { content: [{ type: 'resource_link', uri: 'file:///a' }] }, '[link file:///a, not fetched]'],
  ['a resource of text', { content: [{ type: 'resource', resource: { uri: 'file:///a', text: 'body' } }] }, 'body'],
  [
    'a resource of bytes',
    { content: [{ type: 'resource', resource: { uri: 'file:///a', blob: TEN_BYTES } }] },
    '[resource file:///a, 10 bytes, not shown]',
  ],
  ['an unknown block', { content: [{ type: 'hologram' }] }, '[a block of a kind this client does not know]'],
  ['a block that is none', { content: [null] }, '[a block of a kind this client does not know]'],
  ['a text block without text', { content: [{ type: 'text' }] }, '[a block of a kind this client does not know]'],
  ['structured content beside its text', { content: [{ type: 'text', text: '{"n":1}' }], structuredContent: { n: 1 } }, '{"n":1}'],
  ['structured content alone', { structuredContent: { n: 1 } }, '{"n":1}'],
  ['structured content beside an empty list', { content: [], structuredContent: { n: 1 } }, '{"n":1}'],
  ['structured content beside an empty text', { content: [{ type: 'text', text: '' }], structuredContent: { n: 1 } }, '\n{"n":1}'],
  [
    'structured content beside an image',
    { content: [{ type: 'image', data: TEN_BYTES, mimeType: 'image/png' }], structuredContent: { n: 1 } },
    '[image image/png, 10 bytes, not shown]\n{"n":1}',
  ],
  ['structured content that is null', { content: [], structuredContent: null }, ''],
  ['nothing', {}, ''],
  ['null', { content: null }, ''],
]
test.each(cases)('the model reads %s', (_, result, text) => {
  expect(resultText(result)).toBe(text)
})

test('no byte of an image reaches the model', () => {
  expect(resultText({ content: [{ type: 'image', data: TEN_BYTES, mimeType: 'image/png' }] })).not.toContain(TEN_BYTES)
})
