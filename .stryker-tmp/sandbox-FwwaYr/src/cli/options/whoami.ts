// @ts-nocheck
import { userInfo } from 'node:os'

/** Who sits at the command line, as far as the system says. */
export function whoami(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
