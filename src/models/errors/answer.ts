import { FAILURES } from '../../core/failure-codes.ts'
import { tryParse } from '../../lib/json/parse.ts'
import { fieldsIn } from '../foreign.ts'
import { errorBody } from './body.ts'
import { codeOf } from './code.ts'
import { isLongWait } from './wait.ts'

/**
 * An answer of HTTP with an error, as the client reads it. The client asks again by the status alone, before it reads what is wrong: where time cannot heal that, it is told
 * not to, since each request may be one that is paid for; nor where it is to wait for long.
 */
export async function readError(answer: Response): Promise<Response> {
  const { headers, status } = answer
  try {
    const body = errorBody(await answer.text(), headers.get('content-type'))
    if (isLongWait(headers)) headers.set('x-should-retry', 'false')
    if (FAILURES[codeOf({ ...fieldsIn(fieldsIn(tryParse(body))['error']), status })].retry === 'never')
      headers.set('x-should-retry', 'false')
    return Object.assign(answer, { text: async () => body })
  } catch (error) {
    // It is judged by its status, as it could not be read.
    const text = async () => await Promise.reject(error)
    return Object.assign(answer, { text })
  }
}
