// @ts-nocheck
import { Failure, messageOf } from '../core/failure.ts'

/** What a check found. `cure` says what to do about anything but `ok`. */
export interface Finding {
  check: string
  status: 'ok' | 'warning' | 'failed' | 'skipped'
  message: string
  cure?: string | undefined
}

export const ok = (check: string, message: string): Finding => ({ check, status: 'ok', message })
export const warning = (check: string, message: string, cure: string): Finding => ({ check, status: 'warning', message, cure })
export const failed = (check: string, message: string, cure?: string): Finding => ({ check, status: 'failed', message, cure })
export const skipped = (check: string, message: string): Finding => ({ check, status: 'skipped', message })

/** What was thrown, with its cure beside it. */
export function failedBy(check: string, error: unknown): Finding {
  if (!(error instanceof Failure)) return failed(check, `${messageOf(error)}.`)
  return failed(check, error.message.slice(0, -error.cure.length).trimEnd(), error.cure)
}
