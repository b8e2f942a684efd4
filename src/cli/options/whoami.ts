import { userInfo } from 'node:os'

/** The user of the command line, as the operating system names it. */
export function whoami(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
