import { cutBytes, storeText } from '../lib/text.ts'
import { FAILURES, type FailureCode, type FailureKind, type Retry } from './failure-codes.ts'

export interface FailureOptions {
  readonly code: FailureCode
  /** What happened, and with which file, field, server or run. Never a secret. */
  readonly message: string
  /** What to do, when the cure of the code is too general. */
  readonly cure?: string
  readonly retry?: Retry
  /** Pomerium's or the provider's id of the request that failed. */
  readonly requestId?: string | undefined
  readonly retryAfterMs?: number | undefined
  readonly server?: string | undefined
  readonly cause?: unknown
}

/** What is kept of a failure in rows, API answers and `show --json`. Who shows it to a person uses `describeFailure`. */
export interface FailureRecord {
  code: FailureCode
  /** What happened. In rows that earlier versions wrote, the cure is its end. */
  message: string
  cure?: string
  retry: Retry
  requestId?: string
  retryAfterMs?: number
  server?: string
}

/** The one error that crosses a folder. Its code names the cure; its retry says whether time can heal it. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: FailureCode
  readonly retry: Retry
  readonly requestId: string | undefined
  readonly retryAfterMs: number | undefined
  readonly server: string | undefined
  /** What to do. It is not in the message, so that a failure which tells of this one does not carry the cure of this one. */
  readonly cure: string

  constructor(options: FailureOptions) {
    const kind: FailureKind = FAILURES[options.code]
    super(options.message, { cause: options.cause })
    this.code = options.code
    this.retry = options.retry ?? kind.retry
    this.cure = options.cure ?? kind.cure
    this.requestId = options.requestId
    this.retryAfterMs = options.retryAfterMs
    this.server = options.server
  }

  toJSON(): FailureRecord {
    return {
      code: this.code,
      // Foreign text may be in it, and some of it Postgres cannot hold.
      message: storeText(this.message),
      cure: storeText(this.cure),
      retry: this.retry,
      ...(this.requestId !== undefined && { requestId: this.requestId }),
      ...(this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
      ...(this.server !== undefined && { server: this.server }),
    }
  }
}

/** What a person is shown of a failure: what happened, and what to do; on a line of its own below what is in lines. */
export const describeFailure = ({ message, cure }: Pick<FailureRecord, 'message' | 'cure'>): string =>
  cure === undefined ? message : `${message}${message.endsWith('\n') ? '' : ' '}${cure}`

/** What a log line says of anything thrown: a failure with its cure. Without its full stop, as in `messageOf`. */
export const describeError = (error: unknown): string =>
  error instanceof Failure ? describeFailure(error).replace(/\.$/, '') : messageOf(error)

/** The last failure of a run that was tried so often, or waited so often, as it may be: what is left to do is a person's. */
export const asUsedUp = (failure: FailureRecord, tries: number, runId: string): FailureRecord => ({
  ...failure,
  cure: `${failure.cure ?? FAILURES[failure.code].cure}${usedUp(failure, tries, runId)}`,
})

/** The same failure of a run that is not kept, so that nobody can retry it. */
export const withoutRetry = (failure: FailureRecord, tries: number, runId: string): FailureRecord => ({
  ...failure,
  ...(failure.cure !== undefined && { cure: failure.cure.replace(usedUp(failure, tries, runId), '') }),
})

const usedUp = ({ retry }: FailureRecord, tries: number, runId: string) =>
  ` Its ${retry === 'after-connection' ? 'waits' : 'attempts'} (${tries}) are used up: nightshift retry ${runId}.`

/** What a server says of itself may be of any size; more than this is not kept of it. */
const MAX_MESSAGE_BYTES = 8192
const MAX_ID_BYTES = 256

/** The failure as it is kept: without what `redact` hides, and then bounded. */
export const redactFailure = (failure: FailureRecord, redact: (text: string) => string): FailureRecord => ({
  ...failure,
  message: cutBytes(redact(failure.message), MAX_MESSAGE_BYTES).text,
  ...(failure.requestId !== undefined && { requestId: cutBytes(storeText(redact(failure.requestId)), MAX_ID_BYTES).text }),
  ...(failure.cure !== undefined && { cure: redact(failure.cure) }),
  ...(failure.server !== undefined && { server: redact(failure.server) }),
})

/** What mends an error of the system below us, by the class of its code. */
const SYSTEM_CURES: readonly (readonly [code: RegExp, cure: string])[] = [
  [/^(EACCES|EPERM|EROFS)$/, 'Let the user that Nightshift runs as use what is named, or name another place in the configuration.'],
  [/^(ENOSPC|EDQUOT|EFBIG)$/, 'Make room on the disk of what is named.'],
  [
    /^(ENOENT|ENOTDIR|EISDIR|ELOOP|ENAMETOOLONG|EEXIST|ENOTEMPTY)$/,
    'Create what is named, or correct its path: in the configuration, or in a variable such as TMPDIR.',
  ],
  [
    /^(EMFILE|ENFILE|ENOMEM|EAGAIN|ENOBUFS)$/,
    'Raise the limit of the process that is named (open files, memory, processes), or lower worker.concurrency.',
  ],
  [/^(EIO|ESTALE|ENXIO|ENODEV|EBUSY)$/, 'See whether the disk or mount of what is named is well.'],
  [
    /^(ECONN[A-Z]+|ENOTFOUND|EAI_[A-Z]+|ETIMEDOUT|EPIPE|E(HOST|NET)(UNREACH|DOWN)|EADDR[A-Z]+)$/,
    'See whether the address that is named is right and can be reached.',
  ],
]
const MAX_UNEXPECTED = 300

/** Anything thrown as a failure. One that nobody foresaw says what to look at: for an error of the system that is what its code is about. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const cure = SYSTEM_CURES.find(([codes]) => codes.test(code))?.[1]
  const message = `Unexpected: ${messageOf(error).slice(0, MAX_UNEXPECTED)}.`
  return new Failure({ code: 'INTERNAL_ERROR', message, cause: error, ...(cure !== undefined && { cure }) })
}

/** The message of anything thrown, without its full stop and without a cure, so that it can stand inside another sentence. */
export function messageOf(error: unknown): string {
  // Node throws an AggregateError without a message when none of a host's addresses answers.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ')
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '')
}
