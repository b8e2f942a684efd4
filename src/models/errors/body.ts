import { isObject } from '../../lib/json/object.ts'
import { JsonTooLarge, parseBounded } from '../../lib/json/bounded.ts'
import { fieldsIn, isSaid, shownIn, type Fields } from '../foreign.ts'

/** A page for people where an answer of the API was awaited, or the way to one. Its own words are not told. */
export class WebPage extends Error {
  override readonly name = 'WebPage'
  constructor(what: 'a web page' | 'a redirect') {
    super(`the address answers with ${what}`)
  }
}

const PAGE = /^\s{0,100}<(?:!doctype\s|html|head|body|script|\?xml|!--)/i

export const isPage = (text: string, contentType: string | null): boolean =>
  /^text\/html\b/i.test(contentType ?? '') || PAGE.test(text.slice(0, 200).replace(/^\ufeff/, ''))

/**
 * The error that a body tells of, in the form in which the real API tells it; undefined where it tells of none. Servers put it in a list, leave its frame out, or give a
 * text alone.
 */
export function errorIn(body: unknown): Fields | undefined {
  const fields = fieldsIn(Array.isArray(body) ? body[0] : body)
  const { error, message, detail, code, type, param } = fields
  if (isObject(error) && isSaid(error)) return error
  const said = [message, detail, error].find(isSaid)
  return said === undefined ? undefined : { message: shownIn(said), code, type, param }
}

/** The text of a body with an error as the client reads it. */
export function errorBody(text: string, contentType: string | null): string {
  if (isPage(text, contentType)) return JSON.stringify({ error: { message: 'a web page', type: PAGE_TYPE } })
  try {
    const error = errorIn(parseBounded(text))
    return error ? JSON.stringify({ error }) : text
  } catch (error) {
    if (error instanceof JsonTooLarge) return JSON.stringify({ error: { message: `an error that ${error.message}` } })
    return text
  }
}

/** The type that stands for a page in place of an error. */
export const PAGE_TYPE = 'web_page'
