// How a model reads a result that was shown in part: by lines, by bytes, by a path in JSON, by a search. Pure: the same text and arguments give the same page, also after a crash.
import { ONE_WAY } from '../../words/reading.ts'
import { readBytes, readLines } from './lines.ts'
import { failed, type Page } from './page.ts'
import { readPath } from './path.ts'
import { searchIn } from './search.ts'

/** What is null or empty is as not given: some models write every argument. */
export interface ReadArguments {
  id: string
  line?: number | null | undefined
  offset?: number | null | undefined
  count?: number | null | undefined
  path?: string | null | undefined
  search?: string | null | undefined
  ignoreCase?: boolean | null | undefined
  context?: number | null | undefined
}

/** Heading and end of a page. */
const FRAME = 1024

/** A page of at most `resultBytes`, but for what stands around it in one of less than a few kilobytes. */
export function readPage(text: string, asked: ReadArguments, resultBytes: number): Page {
  const { id } = asked
  const count = asked.count ?? Infinity
  const maxBytes = Math.ceil(Math.max(resultBytes - FRAME, resultBytes / 2))
  const [line, offset, path, search] = [asked.line ?? 1, asked.offset ?? 0, asked.path ?? '', asked.search ?? '']
  const ways = [line > 1, offset > 0 && search === '', path !== '', search !== ''].filter(Boolean)
  if (ways.length > 1) return failed(ONE_WAY)
  if (search !== '')
    return searchIn(id, text, { search, ignoreCase: asked.ignoreCase ?? false, offset, count, context: asked.context ?? 0, maxBytes })
  if (path !== '') return readPath(text, path, { id, count, maxBytes })
  const isBytes = offset > 0 || (typeof asked.offset === 'number' && typeof asked.line !== 'number')
  return isBytes ? readBytes(id, text, { offset, count, maxBytes }) : readLines(id, text, { line, count, maxBytes })
}
