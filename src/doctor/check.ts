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
