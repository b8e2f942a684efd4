import { expect, test } from 'vitest'
import { partialSign, unreadRests } from '../../../../src/core/rules/evidence/partial.ts'

const json = (value: unknown) => JSON.stringify(value)
const pretty = (value: unknown) => JSON.stringify(value, null, 2)
const rows = (count: number, from = 0) => Array.from({ length: count }, (_, id) => ({ id: from + id }))

test.each<[what: string, text: string, said: string | undefined]>([
  ['a flag', json({ rows: rows(2), truncated: true }), 'truncated: true'],
  ['a flag as text', json({ rows: rows(2), hasMore: 'true' }), 'hasMore: true'],
  ['a page that is not the last', json({ values: rows(2), isLast: false }), 'isLast: false'],
  ['the last page by a flag', json({ values: rows(2), isLast: true }), undefined],
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
  ['a link of HAL', json({ _embedded: { orders: rows(2) }, _links: { next: { href: '/orders?page=2' } } }), 'next: /orders?page=2'],
  ['a page of Spring', json({ content: rows(20), totalElements: 57, totalPages: 3, last: false }), 'last: false'],
  ['the last page of Spring', json({ content: rows(17), totalElements: 57, totalPages: 3, last: true }), undefined],
  ['a page by its number, and how many there are', json({ page: 1, pages: 6, total: 57, items: rows(10) }), '10 of 57'],
  ['the last page by how many there are', json({ page: 6, pages: 6, total: 57, items: rows(7) }), undefined],
  ['a page of a size that pages have', json({ page: 1, total: 57, items: rows(10) }), '10 of 57'],
  ['a field named next that is none', json({ task: 'a', next: 'call Bob' }), undefined],
  ['a link of OData', json({ value: rows(2), '@odata.nextLink': 'https://x.example' }), '@odata.nextLink: https://x.example'],
  ['a count of all', json({ total_count: 31, incomplete_results: false, items: rows(30) }), '30 of 31'],
  ['a count of all without a flag', json({ totalCount: 31, items: rows(30) }), '30 of 31'],
  ['a count of all that is met', json({ totalCount: 30, items: rows(30) }), undefined],
  ['a sum beside rows', json({ total: 14_988, rows: rows(14) }), undefined],
  ['a total beside an offset', json({ startAt: 0, maxResults: 50, total: 120, issues: rows(50) }), '50 of 120'],
  ['a total beside the last offset', json({ startAt: 100, maxResults: 50, total: 120, issues: rows(20) }), undefined],
  ['the last page by its number', json({ page: 3, per_page: 50, total: 120, items: rows(20) }), undefined],
  ['rows whose numbers are their names', json({ totalHits: 30, rows: [{ hostId: 10 }, { hostId: 20 }] }), '2 of 30'],
  ['two lists, of which none is meant', json({ totalCount: 31, items: rows(3), tags: rows(2) }), undefined],
  ['paging inside an item', json({ issue: { comments: { has_more: true } } }), undefined],
  ['a list', json(rows(3)), undefined],
  ['a structure below a text', `Found 3.\n${json({ rows: rows(3), hasMore: true })}`, 'hasMore: true'],
  ['a structure over several lines below a text', `Found 3.\n\n${pretty({ rows: rows(3), hasMore: true })}`, 'hasMore: true'],
  ['a structure in a fence', `Found 3:\n\`\`\`json\n${pretty({ rows: rows(3), hasMore: true })}\n\`\`\``, 'hasMore: true'],
  ['a structure with words after it', `${pretty({ rows: rows(3), next_cursor: 'b' })}\nThat is all I know.`, 'next_cursor: b'],
  ['the last of several structures', `${json({ row: 1 })}\n${json({ hasMore: true })}`, 'hasMore: true'],
  ['the last of several structures, of which each ends its line', `${json({ row: 1 })}\n${json({ hasMore: true })}\n`, 'hasMore: true'],
  ['words above a list', `Showing 3 of 300 rows:\n${pretty(rows(3))}`, 'Showing 3 of 300'],
  ['words below a list', `${json(rows(3))}\n[output truncated]`, '[output truncated]'],
  ['words in a list below a text', `Two remarks:\n${pretty(['x'.repeat(200), 'The output was truncated.'])}`, undefined],
  ['a page that is full beside a total', json({ limit: 20, total: 57, items: rows(20) }), '20 of 57'],
  ['a list that ends in a count', json([1, 2, '... 45 more items']), '... 45 more items'],
  ['a list that ends in a count and no dots', json({ rows: ['a', 'b', 'and 45 more'] }), 'and 45 more'],
  ['a list that ends in a mark', json({ rows: [...rows(2), '(truncated)'] }), '(truncated)'],
  ['a next page that is one', json({ rows: rows(2), nextPage: true }), 'nextPage: true'],
  ['a key of the next item', json({ Items: rows(2), LastEvaluatedKey: { id: 'b', at: 7 } }), 'LastEvaluatedKey: {id, at}'],
  ['a cursor that is long', json({ rows: rows(2), nextCursor: 'b'.repeat(61) }), `nextCursor: ${'b'.repeat(60)}…`],
  ['a cursor that is just not long', json({ rows: rows(2), nextCursor: 'b'.repeat(60) }), `nextCursor: ${'b'.repeat(60)}`],
  [
    'a cursor that would be cut in a letter',
    json({ rows: rows(2), nextCursor: `${'b'.repeat(59)}🚀` }),
    `nextCursor: ${'b'.repeat(59)}\ufffd…`,
  ],
  ['a cursor beside a word that says neither', json({ rows: rows(2), has_more: null, next_cursor: 'x' }), 'next_cursor: x'],
  ['a cursor beside a flag that is no word about more', json({ rows: rows(2), truncated: false, next_cursor: 'x' }), 'next_cursor: x'],
  ['an address that is not secure', json({ results: rows(2), next: 'http://x.example/2' }), 'next: http://x.example/2'],
  ['an address without its server', json({ results: rows(2), next: '?page=2' }), 'next: ?page=2'],
  ['a link of the next page that leads nowhere', json({ rows: rows(2), nextLink: { href: null } }), undefined],
  ['a list below a text that ends in a mark', `Found:\n${pretty(['a', 'b', '…'])}`, '…'],
  ['words above JSON with a slip', 'Showing 3 of 300 rows:\n{"rows": [1, 2, 3],}', 'Showing 3 of 300'],
  ['words below JSON with a slip', '{"rows": [1, 2, 3],}\n[output truncated]', '[output truncated]'],
  ['a list that ends in a count of no more than it says', json([1, '... 45 more items']), '... 45 more items'],
  ['a list that ends in a mark without a space', json(['a', 'b', '(...truncated)']), '(...truncated)'],
  ['a list that ends in a long count', json(['a', `${'x'.repeat(51)} (+45 more)`.slice(-60)]), '(+45 more)'],
  [
    'a key that means harm',
    `{"rows":[1,2],"page":{"toString":1},"next":{"toString":1},"nextCursor":{"toString":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`,
    'nextCursor: {toString}',
  ],
  ['a page that means harm', '{"items":[1,2],"page":{"toString":1},"totalCount":31}', '2 of 31'],
  ['words alone', 'Page 1 of 3', 'Page 1 of 3'],
  ['nothing of the kind', 'Revenue rose by 12 % on page 3.', undefined],
])('%s', (_, text, said) => {
  expect(partialSign(text)?.said).toBe(said)
})

/** Names of fields, as servers write them. */
test.each([
  'truncated',
  'isTruncated',
  'more',
  'moreRecords',
  'hasMore',
  'has_more_results',
  'hasMoreItems',
  'has_more_pages',
  'hasNext',
  'has_next_page',
  'incomplete_results',
])('%s says by true that there is more', (name) => {
  expect(partialSign(json({ rows: rows(2), [name]: true }))?.said).toBe(`${name}: true`)
  expect(partialSign(json({ rows: rows(2), [name]: false }))).toBeUndefined()
})

test.each(['isLast', 'is_last_page'])('%s says by false that there is more', (name) => {
  expect(partialSign(json({ rows: rows(2), [name]: false }))?.said).toBe(`${name}: false`)
  expect(partialSign(json({ rows: rows(2), [name]: true }))).toBeUndefined()
})

test.each([
  'nextCursor',
  'next_page',
  'nextPageToken',
  'NextToken',
  'nextLink',
  'next_url',
  'next_page_url',
  'nextRecordsUrl',
  'next_offset',
  'NextMarker',
  'NextContinuationToken',
  'LastEvaluatedKey',
  '@odata.nextLink',
])('%s leads to the rest', (name) => {
  expect(partialSign(json({ rows: rows(2), [name]: 'b' }))?.said).toBe(`${name}: b`)
  expect(partialSign(json({ rows: rows(2), [name]: 7 }))?.said).toBe(`${name}: 7`)
  for (const none of ['', 0, -1, null, false, {}, []]) expect(partialSign(json({ rows: rows(2), [name]: none }))).toBeUndefined()
})

test.each(['total_count', 'totalResults', 'totalItems', 'total_rows', 'totalHits', 'totalRecords'])('%s counts the items', (name) => {
  expect(partialSign(json({ [name]: 31, items: rows(7) }))).toEqual({ said: '7 of 31', count: { total: 31, got: 7 } })
  expect(partialSign(json({ [name]: '31', items: rows(7) }))?.said).toBe('7 of 31')
  expect(partialSign(json({ [name]: 'about 31', items: rows(7) }))).toBeUndefined()
})

test.each(['pagination', 'paging', 'pageInfo', 'meta', 'metadata', 'response_metadata', '_links', 'result', 'data'])(
  'paging may stand in %s, also one deeper',
  (name) => {
    expect(partialSign(json({ rows: rows(2), [name]: { hasMore: true } }))?.said).toBe('hasMore: true')
    expect(partialSign(json({ [name]: { rows: rows(2), meta: { hasMore: true } } }))?.said).toBe('hasMore: true')
  },
)

/** Which rows of how many: what stands beside seven items, of which `total` may be a sum. */
test.each<[what: string, fields: Record<string, number | string>, isPart: boolean]>([
  ['nothing', {}, false],
  ['an offset', { offset: 0 }, true],
  ['an offset of another name', { startAt: 7 }, true],
  ['an offset as a text', { offset: '0' }, true],
  ['the last offset', { offset: 50 }, false],
  ['an offset before the last', { offset: 49 }, true],
  ...['per_page', 'pageSize', 'limit', 'maxResults', 'size'].flatMap((name): [string, Record<string, number>, boolean][] => [
    [`a page that is full by ${name}`, { [name]: 7 }, true],
    [`a page of more than ${name} says`, { [name]: 6 }, true],
    [`a page that is not full by ${name}`, { [name]: 8 }, false],
  ]),
  ['a page of a size', { page: 1, per_page: 7 }, true],
  ['a page of another name', { pageNumber: 1, pages: 9 }, true],
  ['a page of a third name', { current_page: 1, pages: 9 }, true],
  ['a page alone, with a number of items that pages do not have', { page: 1 }, false],
  ...['pages', 'totalPages', 'page_count', 'last_page'].flatMap((name): [string, Record<string, number>, boolean][] => [
    [`a page of ${name}`, { page: 8, [name]: 9 }, true],
    [`the last page of ${name}`, { page: 9, [name]: 9 }, false],
  ]),
  ['how many pages there are, and not which this is', { pages: 9 }, false],
  ['a page that ends at the total', { page: 3, size: 19, totalItems: 57 }, false],
  ['the eighth of nine full pages', { page: 8, size: 7 }, true],
  ['the ninth of nine pages', { page: 9, size: 7 }, false],
  ['a page that is not full, beside what may be a sum', { page: 1, size: 8 }, false],
  ['a page that is not full, since the server gives fewer than were asked for', { page: 1, size: 20, totalItems: 57 }, true],
  ['the last page, where the first is 0', { page: 5, size: 10, totalItems: 57 }, false],
  ['a page before the last, where the first is 0', { page: 4, size: 10, totalItems: 57 }, true],
  ['how many items there are, and how many pages', { totalItems: 57, pages: 9 }, true],
])('of 57, seven rows are a part or a whole by %s', (_, fields, isPart) => {
  const sign = partialSign(json({ total: 57, items: rows(7), ...fields }))
  expect(sign?.said).toBe(isPart ? '7 of 57' : undefined)
})

test.each([
  [10, true],
  [25, true],
  [12, false],
  [5, false],
])('a page by its number with %i items is one of a size that pages have: %s', (count, isPage) => {
  expect(partialSign(json({ page: 1, total: 57, items: rows(count) }))?.said).toBe(isPage ? `${count} of 57` : undefined)
})

/** Whole results that speak of parts, pages, totals and cuts: none of them says so of itself. */
const HONEST: [what: string, text: string][] = [
  ['a cut of the past', 'Members of the board: A, B, C. The list was truncated last year.'],
  ['a cut by somebody', 'Minutes of 3 May. The list was truncated by the editor for the second edition.'],
  ['a cut inside a sentence', 'In the 2019 audit the response was truncated.'],
  ['a cut as a reported fault', 'INC-7: customers say that the output was truncated. Closed.'],
  ['a cut that did not happen', 'Export done. The output was not truncated.'],
  ['a mark that nothing was cut', 'a\nb\n[not truncated]'],
  ['a trunk that was cut', 'Tree 14: the trunk was truncated at 3 m after the storm.'],
  ['a column of that name', 'id  name  truncated\n1   a     no\n2   b     no'],
  ['advice on cuts', 'If a result is truncated, call export with a start_index instead.'],
  ['a stack trace', 'java.io.IOException: x\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)\n\t... 23 more'],
  ['more in an order', 'Order 5 boxes and 2 more items.'],
  ['more in a list of remarks', json({ remarks: ['We need 3 more.', 'Send 2 more boxes'] })],
  ['an ellipsis in prose', 'He paused … and more often than not he left.'],
  ['no more rows', 'a\nb\nNo more results available.'],
  ['no further pages', 'a\nb\nThere are no further pages available.'],
  ['records at a place', 'Births before 1900 are in the annex. More records are available at the town hall.'],
  ['records that somebody has', 'The auditor found that additional records are available in the archive of the court.'],
  ['a page of a book', 'Revenue rose by 12 %, see page 3 of 7 of the annual report.'],
  ['a page as a place', 'The signature is missing on page 2 of 4. Please sign.'],
  ['a page that is the subject', 'Page 2 of 14 shows the decline by region.'],
  ['a document with feet', `Page 1 of 3\n${'x '.repeat(300)}\nPage 2 of 3\n${'y '.repeat(300)}\nPage 3 of 3\n${'z '.repeat(200)}`],
  ['a document with heads, the last of them far from its end', `Contract\nPage 1/2\n${'x '.repeat(300)}\nPage 2/2\n${'y '.repeat(400)}`],
  ['a chart', 'The chart showing 3 of 5 regions in decline is on the intranet.'],
  ['a chart at the beginning', 'Showing 3 of 5 regions in steep decline, the chart was sent to the board.'],
  ['goods that go back', 'Returning 3 of 5 laptops to the vendor was agreed on.'],
  ['all of it', 'Showing 1-20 of 20 results:\na'],
  ['a score', 'Quality: 3 of 5 stars. 12 of 14 checks passed.'],
  ['a part of a whole', 'Turnout: 412 of 900 members voted.'],
  ['a sum beside rows', json({ total: 14_988, rows: rows(14) })],
  ['a sum in an order', json({ order: 7, total: 120.5, lines: rows(3) })],
  ['a page of an invoice with its sum', json({ page: 1, total: 1200, lines: rows(3) })],
  ['a sum with cents beside an offset', json({ offset: 0, total: 99.5, lines: rows(3) })],
  ['a credit limit beside a sum', json({ account: 'a', limit: 5000, total: 120, transactions: rows(4) })],
  ['a rate limit beside a sum', json({ limit: 100, total: 140, days: rows(7) })],
  ['the columns of a table with its size', json({ table: 'unemployment', totalRows: 1708, columns: ['year', 'month', 'rate'] })],
  ['the fields of a table with its size', json({ total_records: 90, fields: [{ name: 'a' }, { name: 'b' }] })],
  [
    'a count by group',
    json({
      totalCount: 420,
      byStatus: [
        { status: 'open', count: 300 },
        { status: 'closed', count: 120 },
      ],
    }),
  ],
  [
    'a sum by month',
    json({
      totalItems: 30,
      months: [
        { month: 1, items: 10, value: 7 },
        { month: 2, items: 20, value: 8 },
      ],
    }),
  ],
  ['counts in a list', json({ totalHits: 6, perDay: [1, 2, 3] })],
  ['warnings beside a count', json({ totalRows: 9, warnings: ['one row has no date'] })],
  ['a count that is met', json({ totalCount: 3, items: rows(3) })],
  ['no rows of many', json({ totalCount: 31, items: [] })],
  ['a cursor that is spent', json({ items: rows(2), nextCursor: '' })],
  ['a cursor that leads nowhere', json({ items: rows(2), nextPage: 0 })],
  ['a next step', json({ task: 'review', next: 'call Bob' })],
  ['a field named more', json({ name: 'Sir Thomas', more: 'saint' })],
  ['an issue with comments elsewhere', json({ issue: { id: 7, comments: { totalCount: 9, nodes: rows(2) } } })],
  ['a chain of tasks', json({ id: 4, next: '/tasks/5', previous: '/tasks/3' })],
  ['a list of cut texts', json([{ title: 'The output was truncated', state: 'open' }])],
  ['a pretty list of cut texts below a text', `1 issue:\n${pretty([{ title: 'x', body: 'The response was truncated.' }])}`],
  ['a log', '09:00 start\n09:01 table audit truncated\n09:02 loaded 14 rows\n09:03 done'],
  ['a statement', 'Statements run: truncate table a; insert into a select * from b. 1,708 rows.'],
  ['a sample of a large table', json({ totalRows: 1708, sample: rows(5) })],
  ['a text in JSON with a slip', '{"title": "Fault: the output was truncated.",}'],
  ['a text in a pretty list below a text', `Found:\n${pretty(['Fault: the output was truncated.', 'x'])}`],
  ['a list of one remark', json(['... 45 more items'])],
  ['a long remark at the end of a list', json(['a', `${'x'.repeat(51)} (+45 more)`])],
  ['names that go on', json(['Well', 'He paused …'])],
  ['names of files', json(['src', '...rest.ts'])],
  ['an entry that is not the last, and no page', json({ entry: 4, last: false, rows: rows(2) })],
  ['a flag beside a count of pages', json({ title: 'A book', pages: 310, signed: false })],
  ['its own address', json({ rows: rows(2), self: 'https://x.example/1' })],
  ['a next step beside a list', json({ rows: rows(2), next: 'call Bob' })],
  ['a next step with an address', json({ rows: rows(2), next: 'read https://x.example' })],
  ['a next step without an owner', json({ owner: null, next: '/tasks/5' })],
  ['navigation of a document', json({ title: 'One', nextPage: { title: 'Two' } })],
  ['minutes by machine', json({ totalHits: 30, hosts: [{ idle: 10 }, { idle: 20 }] })],
  ['the headers of a table with its size', json({ totalRows: 9, headers: ['a', 'b'] })],
  ['a text in the last of several structures', `${json({ row: 1 })}\n${json({ title: 'Fault: the output was truncated.' })}`],
  ['an amount left', '25 more employees were hired; further items are on the agenda.'],
]

test('of 70 whole results none is taken for a part', () => {
  expect(HONEST).toHaveLength(70)
  expect(HONEST.flatMap(([what, text]) => (partialSign(text) ? [`${what}: ${partialSign(text)?.said}`] : []))).toEqual([])
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
  [
    'the same large page twice, each shown with its id',
    ['t1c1', 't2c1'].map((id) => ({
      ...call(`[Result ${id} is shown in part]`),
      kept: { digest: 'a1', rest: { said: '2 of 4', count: { total: 4, got: 2 } } },
    })),
    1,
  ],
  [
    'large pages that are all there by their count, and look the same',
    ['a1', 'b2'].map((digest) => ({
      ...call('[It is shown in part]'),
      kept: { digest, rest: { said: '2 of 4', count: { total: 4, got: 2 } } },
    })),
    0,
  ],
  ['a tool that is no server’s', [{ ...call(part), server: '' }], 0],
])('%s', (_, calls, unread) => {
  expect(unreadRests(calls, [])).toHaveLength(unread)
  expect(unreadRests(calls, ['hr'])).toEqual([])
})

test('of each tool whose last result is a part, its words are said', () => {
  expect(unreadRests([call(part), call(part, 'find'), call(whole, 'get')], [])).toEqual([
    { server: 'hr', tool: 'list', said: 'truncated: true' },
    { server: 'hr', tool: 'find', said: 'truncated: true' },
  ])
})
