// @ts-nocheck
import { Failure } from '../../core/failure.ts'
import type { RequestScope } from './exchange.ts'

/** The event streams that are open, also those whose results have come. */
export interface OpenStreams {
  /** Tells the scope when the response is over, and what is wrong with its body when it is more than cut. */
  watch(response: Response, scope: RequestScope): Response
  /** Ends all of them: a server may keep one open after its result. */
  end(): void
}

export function createOpenStreams(): OpenStreams {
  const open = new Set<() => void>()
  return {
    watch(response, scope) {
      if (!response.body || !isEventStream(response)) {
        scope.ended()
        return response
      }
      const reader = response.body.getReader()
      const end = () => void reader.cancel().catch(() => {})
      open.add(end)
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          try {
            const { done, value } = await reader.read()
            if (!done) return controller.enqueue(value)
            controller.close()
          } catch (error) {
            // SDK: it takes any broken stream for a cut one and resumes it. A body over the cap must not come again.
            if (error instanceof Failure) scope.failed(error)
            controller.error(error)
          }
          open.delete(end)
          scope.ended()
        },
        cancel(reason) {
          open.delete(end)
          return reader.cancel(reason)
        },
      })
      const { status, headers } = response
      return new Response(body, { status, headers })
    },
    end() {
      for (const one of open) one()
    },
  }
}

const isEventStream = (response: Response) => /^text\/event-stream\b/.test(response.headers.get('content-type') ?? '')
