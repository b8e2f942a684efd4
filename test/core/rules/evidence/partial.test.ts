import { expect, test } from 'vitest'
import { partialSign, unreadRests } from '../../../../src/core/rules/evidence/partial.ts'

const json = (value: unknown) => JSON.stringify(value)
const rows = (count: number, from = 0) => Array.from({ length: count }, (_, id) => ({ id: from + id }))

test.each<[what: string, text: string, said: string | undefined]>([
  ['a flag', json({ rows: rows(2), truncated: true }), 'truncated: true'],
  ['a flag as text', json({ rows: rows(2), hasMore: 'true' }), 'hasMore: true'],
  ['a page that is not the last', json({ values: rows(2), isLast: false }), 'isLast: false'],
  ['the last page by a flag', json({ values: rows(2), isLast: true }), undefined],
  ['a page at the head of a long text', `Page 1 of 3\n${'x'.repeat(400)}`, 'Page 1 of 3'],
  ['a flag that is off', json({ rows: rows(2), truncated: false }), undefined],
  ['a flag that is a text', json({ truncated: 'no' }), undefined],
  ['a cursor', json({ tools: rows(2), nextCursor: 'abc' }), 'nextCursor: abc'],
  ['no cursor', json({ tools: rows(2), nextCursor: null }), undefined],
  ['an empty cursor', json({ items: rows(2), next_page_token: '' }), undefined],
  ['a cursor beside the word that there is no more', json({ results: rows(2), has_more: false, next_cursor: 'x' }), undefined],
  ['a page object', json({ issues: rows(2), pageInfo: { hasNextPage: true, endCursor: 'x' } }), 'hasNextPage: true'],
  ['the last of a page object', json({ issues: rows(2), pageInfo: { hasNextPage: false, endCursor: 'x' } }), undefined],
  ['a wrapped answer', json({ data: { items: rows(2), meta: { next_page: 2 } } }), 'next_page: 2'],
  ['an address of the next page', json({ results: rows(2), next: 'https://x.example/?page=2' }), 'next: https://x.example/?page=2'],
  ['a field named next that is none', json({ task: 'a', next: 'call Bob' }), undefined],
  ['a link of OData', json({ value: rows(2), '@odata.nextLink': 'https://x.example' }), '@odata.nextLink: https://x.example'],
  ['a count of all', json({ total_count: 31, incomplete_results: false, items: rows(30) }), '30 of 31'],
  ['a count of all without a flag', json({ totalCount: 31, items: rows(30) }), '30 of 31'],
  ['a count of all that is met', json({ totalCount: 30, items: rows(30) }), undefined],
  ['a sum beside rows', json({ total: 14_988, rows: rows(14) }), undefined],
  ['a total beside an offset', json({ startAt: 0, maxResults: 50, total: 120, issues: rows(50) }), '50 of 120'],
  ['a total beside the last offset', json({ startAt: 100, maxResults: 50, total: 120, issues: rows(20) }), undefined],
  ['the last page by its number', json({ page: 3, per_page: 50, total: 120, items: rows(20) }), undefined],
  ['two lists, of which none is meant', json({ totalCount: 31, items: rows(3), tags: rows(2) }), undefined],
  ['paging inside an item', json({ issue: { comments: { has_more: true } } }), undefined],
  ['a list', json(rows(3)), undefined],
  ['a structure below a text', `Found 3.\n${json({ rows: rows(3), hasMore: true })}`, 'hasMore: true'],
  ['words at the end', 'a\nb\nPage 1 of 3', 'Page 1 of 3'],
  ['the last page in words', 'Page 1 of 3\na\nPage 3 of 3', undefined],
  ['words at the beginning', 'Showing 1-20 of 300 results:\na', 'Showing 1-20 of 300'],
  ['all of it in words', 'Showing 20 of 20 results:\na', undefined],
  ['a server that fetches pages', `${'x'.repeat(400)}\nContent truncated. Call the tool with a start_index of 5000.`, 'Content truncated'],
  ['a mark', `${'x'.repeat(400)} [truncated: 12 KB]`, '[truncated: 12 KB]'],
  ['more results', 'a\nb\n25 more results available', 'more results available'],
  ['the word in the middle of a long text', `${'x'.repeat(400)} the output was truncated ${'x'.repeat(400)}`, undefined],
  ['nothing of the kind', 'Revenue rose by 12 % on page 3.', undefined],
])('%s', (_, text, said) => {
  expect(partialSign(text)?.said).toBe(said)
})

const call = (text: string, tool = 'list', status = 'ok') => ({ server: 'hr', tool, status, text })
const part = json({ rows: rows(2), truncated: true })
const whole = json({ rows: rows(2), truncated: false })

test.each<[what: string, calls: ReturnType<typeof call>[], unread: number]>([
  ['the only result is a part', [call(part)], 1],
  ['it was read on', [call(part), call(part), call(whole)], 0],
  ['it was read on, and not to the end', [call(part), call(part)], 1],
  ['a look at other things after it', [call(part), call(whole, 'get')], 1],
  ['a failure after it', [call(part), call('Error: gone', 'list', 'error')], 1],
  ['a whole result before it', [call(whole), call(part)], 1],
  [
    'pages that are all there by their count',
    [call(json({ totalCount: 4, items: rows(2) })), call(json({ totalCount: 4, items: rows(2, 2) }))],
    0,
  ],
  ['the same page twice', [call(json({ totalCount: 4, items: rows(2) })), call(json({ totalCount: 4, items: rows(2) }))], 1],
  ['a tool that is no server’s', [{ ...call(part), server: '' }], 0],
])('%s', (_, calls, unread) => {
  expect(unreadRests(calls, [])).toHaveLength(unread)
  expect(unreadRests(calls, ['hr'])).toEqual([])
})
