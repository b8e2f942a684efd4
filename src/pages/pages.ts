// What a browser is shown, to operators alone.
import { Hono } from 'hono'
import type { Logger } from 'pino'
import { actorOf, logAct } from '../http/acts.ts'
import { requireOperatorOfAll } from '../http/authorize.ts'
import type { Actor } from '../core/acts.ts'
import type { Authenticate } from '../http/identity.ts'
import { showLine } from '../lib/text.ts'
import type { RetryParts } from '../runs/retry.ts'
import type { BoardEnv, BoardQueue } from './queue.ts'

export interface PagesOptions {
  authenticate: Authenticate
  queue: BoardQueue
  retryParts: () => RetryParts
  log: Logger
}

interface PagesEnv {
  Variables: { actor: Actor }
}

const BOARD_PATH = '/queue'
const MAX_PATH = 200

/** The pages: the board of the queue. */
export function createPages({ authenticate, queue, retryParts, log }: PagesOptions): Hono<PagesEnv> {
  const pages = new Hono<PagesEnv>()
  for (const path of [BOARD_PATH, `${BOARD_PATH}/*`])
    pages.use(path, async (c, next) => {
      const caller = await authenticate(c.req.raw.headers)
      requireOperatorOfAll(caller)
      c.set('actor', actorOf(c, caller, 'operator', { via: 'page', reason: null }))
      // Retries are all that the board does.
      if (c.req.method !== 'GET' && c.req.method !== 'HEAD')
        logAct(log, 'retry', c.get('actor'), { method: c.req.method, path: showLine(c.req.path.slice(0, MAX_PATH)) })
      return next()
    })
  pages.get(`${BOARD_PATH}/`, (c) => c.redirect(BOARD_PATH))
  // Loaded on the first request: most processes never show the board.
  let board: Promise<Hono<BoardEnv>> | undefined
  pages.all(`${BOARD_PATH}/*`, async (c) => {
    board ??= import('./queue.ts').then(({ createBoard }) => createBoard({ path: BOARD_PATH, queue, parts: retryParts }))
    // oxlint-disable-next-line waits/bounded -- it is a function of this process; what it asks of the queue is bounded (queue.ts)
    return (await board).fetch(c.req.raw, { ...Object(c.env), actor: c.get('actor') })
  })
  return pages
}
