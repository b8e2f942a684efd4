import { gzipSync } from 'node:zlib'
import { textResult, type Seen, type Serve } from '../support/mcp/scripted-server.ts'
import type { WildCase } from './case.ts'

// Forms in which the result of a call comes.

const EVENTS = { 'content-type': 'text/event-stream' }
const message = (seen: Seen, result: unknown = textResult('Zürich 🌍')) => JSON.stringify({ jsonrpc: '2.0', id: seen.id, result })

const call = (name: string, serve: Serve, expected: string): WildCase => ({ name, on: { 'tools/call': serve }, expected })
const result = (name: string, value: unknown, expected: string) => call(name, (seen) => seen.result(value), expected)
const events = (name: string, textOf: (seen: Seen) => string, expected = 'ok: Zürich 🌍') =>
  call(name, (seen) => void seen.res.writeHead(200, EVENTS).end(textOf(seen)), expected)

const text = (value: string) => [{ type: 'text', text: value }]
const lone = (seen: Seen) => `{"jsonrpc":"2.0","id":${seen.id},"result":{"content":[{"type":"text","text":"a\\u0000b\\ud83dc"}]}}`

export const answerCases: readonly WildCase[] = [
  result(
    'a text and a structure that it does not hold',
    { content: text('4 items'), structuredContent: { items: ['A'] } },
    'ok: 4 items\n{"items":["A"]}',
  ),
  result('a structure alone', { structuredContent: { items: ['A'] } }, 'ok: {"items":["A"]}'),
  result(
    'null in each field that may be left out',
    { content: [{ type: 'text', text: 'ok', annotations: null, _meta: null }], _meta: null, isError: null, structuredContent: null },
    'ok: ok',
  ),
  result('no block', { content: [] }, 'ok: (the tool gave no content)'),
  result('no content', {}, 'ok: (the tool gave no content)'),
  result(
    'an error with a structure alone',
    { isError: true, content: [], structuredContent: { why: 'no rows' } },
    'error: Error: {"why":"no rows"}',
  ),
  result('an error that says so in a text', { isError: 'true', content: text('no rows') }, 'error: Error: no rows'),
  result('content that is a text', { content: 'just text' }, 'ok: just text'),
  result(
    'a picture, a sound, a link, resources and a block of a new kind',
    {
      content: [
        { type: 'image', data: 'aGk=', mimeType: 'image/png' },
        { type: 'audio', data: 'aGk=', mimeType: 'audio/wav' },
        { type: 'resource_link', uri: 'file:///x', name: 'x' },
        { type: 'resource', resource: { uri: 'a:b', blob: 'aGk=' } },
        { type: 'resource', resource: { uri: 'a:b', text: 'embedded' } },
        { type: 'new_kind' },
      ],
    },
    'ok: [image, image/png, 2 bytes, not shown]\n[audio, audio/wav, 2 bytes, not shown]\n[link x: file:///x. Not fetched.]\n[resource a:b, of unknown type, 2 bytes, not shown]\nembedded\n[a block of a kind that is not known here]',
  ),
  result('12 MB', { content: text('x'.repeat(12_000_000)) }, 'ok: [Result t1c1 has 11 MB (text of'),
  result('17 MB', { content: text('x'.repeat(17_000_000)) }, 'error: Error: the tool ran, but its result was too large to be read.'),
  call('an error that is null', (seen) => seen.json({ jsonrpc: '2.0', id: seen.id, result: textResult('done'), error: null }), 'ok: done'),
  call('an id that is a text', (seen) => seen.json({ jsonrpc: '2.0', id: String(seen.id), result: textResult('done') }), 'ok: done'),
  call('JSON as plain text', (seen) => void seen.res.writeHead(200, { 'content-type': 'text/plain' }).end(message(seen)), 'ok: Zürich 🌍'),
  call('JSON without a type', (seen) => void seen.res.writeHead(200).end(message(seen)), 'ok: Zürich 🌍'),
  call(
    'an error with an id that is nobody’s',
    (seen) => seen.json({ jsonrpc: '2.0', id: 'server-error', error: { code: -32600, message: 'Validation error' } }),
    'error: Error: Validation error (code -32600)',
  ),
  call('an answer to another call', (seen) => seen.json({ jsonrpc: '2.0', id: 4711, result: textResult('done') }), 'OUTCOME_UNKNOWN'),
  events(
    'an answer to another call, in an event with an id',
    (seen) => `id: 1\ndata: ${message({ ...seen, id: 4711 })}\n\n`,
    'OUTCOME_UNKNOWN',
  ),
  call(
    'a half of a character and a NUL',
    (seen) => void seen.res.writeHead(200, { 'content-type': 'application/json' }).end(lone(seen)),
    'ok: a\0b\ufffdc',
  ),
  call('accepted, and nothing more', ({ res }) => void res.writeHead(202).end(), 'OUTCOME_UNKNOWN'),
  events(
    'CR as the end of a line, a mark at the begin, comments',
    (seen) => `\ufeff: hi\rretry: 10\r\rid: 1\revent: message\rdata: ${message(seen)}\r\r`,
  ),
  events(
    'several events at once, the answer twice, and junk behind',
    (seen) =>
      `data: {"jsonrpc":"2.0","method":"notifications/message"}\n\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"nope","progress":1}}\n\n${`data: ${message(seen)}\n\n`.repeat(2)}data: not json\n\n`,
  ),
  events('data over several lines', (seen) => `${JSON.stringify(JSON.parse(message(seen)), null, 1).replaceAll(/^/gm, 'data: ')}\n\n`),
  events('an event without its end', (seen) => `data: ${message(seen)}`),
  call(
    'a type with a parameter',
    (seen) => void seen.res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).end(`data: ${message(seen)}\n\n`),
    'ok: Zürich 🌍',
  ),
  call(
    'a stream that stays open',
    (seen) => void seen.res.writeHead(200, EVENTS).write(`data: ${message(seen)}\n\n: ping\n\n`),
    'ok: Zürich 🌍',
  ),
  call(
    'a stream that is packed',
    (seen) => void seen.res.writeHead(200, { ...EVENTS, 'content-encoding': 'gzip' }).end(gzipSync(`data: ${message(seen)}\n\n`)),
    'ok: Zürich 🌍',
  ),
]
