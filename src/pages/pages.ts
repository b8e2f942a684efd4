// What a browser is shown, to operators alone.
import { Hono } from 'hono'
import { requireOperatorOfAll } from '../http/authorize.ts'
import type { Authenticate } from '../http/identity.ts'
import type { RetryParts } from '../runs/retry.ts'
import type { BoardQueue } from './queue.ts'

export interface PagesOptions {
  authenticate: Authenticate
  queue: BoardQueue
  retryParts: () => RetryParts
}

const BOARD_PATH = '/queue'

/** The pages: the board of the queue. */
export function createPages({ authenticate, queue, retryParts }: PagesOptions): Hono {
  const pages = new Hono()
  for (const path of [BOARD_PATH, `${BOARD_PATH}/*`])
    pages.use(path, async (c, next) => {
      requireOperatorOfAll(await authenticate(c.req.raw.headers))
      return next()
    })
  pages.get(`${BOARD_PATH}/`, (c) => c.redirect(BOARD_PATH))
  // Loaded on the first request: most processes never show the board.
  let board: Promise<Hono> | undefined
  pages.all(`${BOARD_PATH}/*`, async (c) => {
    board ??= import('./queue.ts').then(({ createBoard }) => createBoard({ path: BOARD_PATH, queue, parts: retryParts }))
    return (await board).fetch(c.req.raw, c.env)
  })
  return pages
}
