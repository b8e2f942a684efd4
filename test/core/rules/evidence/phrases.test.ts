import { expect, test } from 'vitest'
import { missingAtEnd, signInPhrases } from '../../../../src/core/rules/evidence/phrases.ts'

/** So much text that what stands before and after it is not near it. */
const LONG = 'x'.repeat(400)
const long = (lines: number) => 'a line of this document\n'.repeat(lines)

test.each<[what: string, text: string, said: string]>([
  ['words at the end', 'a\nb\nPage 1 of 3', 'Page 1 of 3'],
  ['a page at the head of a long text', `Page 1 of 3\n${LONG}`, 'Page 1 of 3'],
  ['a page at the end of a long text', `${LONG}\nPage 1 of 3`, 'Page 1 of 3'],
  ['a page in brackets', 'a\nb (page 2 of 9)', 'page 2 of 9'],
  ['a page of results', 'a\nResults, page 2/9:', 'page 2/9'],
  ['a later page before the first one, and not the last', 'Page 2 of 3\na\nPage 1 of 3', 'Page 2 of 3'],
  ['pages that are counted beyond nine', 'Page 9 of 12\na\nPage 10 of 12', 'Page 10 of 12'],
  ['a first page of a list that holds a whole document', `Page 1 of 3\n${LONG}\nPage 7 of 7\n${LONG}`, 'Page 1 of 3'],
  ['words at the beginning', 'Showing 1-20 of 300 results:\na', 'Showing 1-20 of 300'],
  ['words at the beginning of a long text', `Showing 1-20 of 300 results:\n${LONG}`, 'Showing 1-20 of 300'],
  ['words at the end of a long text', `${LONG}\nShowing 1-20 of 300 results.`, 'Showing 1-20 of 300'],
  ['rows by their places', 'Results 1-10 of 57\na', 'Results 1-10 of 57'],
  ['numbers of more than three digits', 'Showing 1,000 of 1,045 rows:\na', 'Showing 1,000 of 1,045'],
  ['a whole list before a part of another', 'Showing 5 of 5 tags. Showing 20 of 300 rows.', 'Showing 20 of 300'],
  ['rows that are shown', 'a\n10 of 57 results shown', '10 of 57 results shown'],
  ['rows that are shown, in capital letters', 'a\n10 OF 57 RESULTS SHOWN', '10 OF 57 RESULTS SHOWN'],
  ['all of one list, and some of another, that are shown', '5 of 5 tags shown. 10 of 57 results shown.', '10 of 57 results shown'],
  ['a count in brackets', 'Invoices (showing 10 of 57)\na', 'showing 10 of 57'],
  ['a server that fetches pages', `${LONG}\nContent truncated. Call the tool with a start_index of 5000.`, 'Content truncated'],
  ['a mark', `${LONG} [truncated: 12 KB]`, '[truncated: 12 KB]'],
  ['a mark of three dots', 'a\nb\n... (truncated)', '... (truncated'],
  ['a mark of a dot of three', 'a\nb\n…truncated', '…truncated'],
  ['a sentence with a size', 'a\nb. The output was truncated to 2,000 lines.', 'The output was truncated to 2,000 lines'],
  ['a sentence with a reason', 'a\nResponse truncated due to size limits', 'Response truncated due to size limits'],
  ['a sentence that is all of it', 'Response truncated due to size limits', 'Response truncated due to size limits'],
  ['a sentence at the beginning of what is just all searched', `Output truncated.${'x'.repeat(283)}`, 'Output truncated'],
  ['more results', 'a\nb\n25 more results available', '25 more results available'],
  ['more results in a sentence', 'a\nb\nThere are more rows available.', 'There are more rows available'],
  ['rows that are not shown', 'a\n25 more rows not shown', '25 more rows not shown'],
  ['a word in brackets', 'a\n(truncated)', '(truncated)'],
  ['a size alone', 'a\nTruncated at 100 rows.', 'Truncated at 100 rows'],
  ['three dots and a count', 'a\nb\n... 45 more', '... 45 more'],
])('a part says so by %s', (_, text, said) => {
  expect(signInPhrases(text)).toBe(said)
})

test.each<[what: string, text: string]>([
  ['nothing of the kind', 'Revenue rose by 12 % on page 3.'],
  ['a page that is the subject', 'Page 2 of 14 shows the decline by region.'],
  ['a chart', 'Showing 3 of 5 regions in steep decline, the chart was sent to the board.'],
  ['a cut of the past', 'Members of the board: A, B, C. The list was truncated last year.'],
  ['the last page', 'Page 1 of 3\na\nPage 3 of 3'],
  ['the last page before the others', 'Page 3 of 3\na\nPage 1 of 3'],
  ['the last of more than nine pages', 'Page 9 of 10\na\nPage 10 of 10'],
  ['a page in the middle of a long text', `${LONG}\nPage 1 of 3\n${LONG}`],
  ['all of it', 'Showing 20 of 20 results:\na'],
  ['all of it, in numbers of more than three digits', 'Showing 1,045 of 1,045 rows:\na'],
  ['a count in the middle of a long text', `${LONG}\nShowing 3 of 300 rows.\n${LONG}`],
  ['a cut in the middle of a long text', `${LONG}\nThe output was truncated.\n${LONG}`],
  ['a cut far before the end of a longer one', `${LONG}\nThe output was truncated.\n${LONG}${LONG}${LONG}`],
  ['a cut that did not happen, of which the searched end has half the sentence', `It was not truncated at 100 rows.${'x'.repeat(278)}`],
])('a whole says nothing by %s', (_, text) => {
  expect(signInPhrases(text)).toBeUndefined()
})

test.each<[what: string, text: string, said: string | undefined]>([
  ['three dots and a count', '... 45 more', '... 45 more'],
  ['three dots and a count of rows', 'a\nb\n… and 1,045 more rows', '… and 1,045 more rows'],
  ['three dots and a count of rows in capital letters', 'a\nb\n… AND 45 MORE ROWS', '… AND 45 MORE ROWS'],
  ['three dots and no count', 'a, b, ... and more', '... and more'],
  ['a count in brackets', 'a\nb\n(+45 more)', '(+45 more)'],
  ['a count in brackets, in words', 'a, b [12 more items]', '[12 more items]'],
  ['a count that is an item', 'and 45 more', 'and 45 more'],
  ['a count behind a long text', `${LONG}\n... 45 more`, '... 45 more'],
  ['a count at the beginning of a long text', `... 45 more.\n${LONG}`, undefined],
  ['a count in the middle of a long text', `${LONG}\n... 45 more.\n${LONG}`, undefined],
  ['more in an order', 'Order 5 boxes and 2 more items.', undefined],
  ['a stack trace with tabs', 'Error: x\n\tat a.B.c(B.java:1)\n\t... 23 more', undefined],
  ['a stack trace with spaces', 'Error: x\n    at a.B.c(B.java:1)\n    ... 23 more', undefined],
  ['a stack trace with a long cause', `Error: x\n\tat a.B.c(B.java:1)\nCaused by: ${LONG}\n\t... 23 more`, undefined],
  ['a list far behind a stack trace', `Error: x\n\tat a.B.c(B.java:1)\n${long(60)}... 23 more`, '... 23 more'],
  ['a sentence that reads as a line of a stack trace', 'We met at noon (all of us)\nLook at main (the hall)\n... 23 more', '... 23 more'],
])('what is missing, by its count at the end: %s', (_, text, said) => {
  expect(missingAtEnd(text)).toBe(said)
})
