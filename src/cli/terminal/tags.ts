import type { Tags } from '../../core/run.ts'
import { showLine } from '../../lib/text.ts'

/** Tags for people, as they are written. */
export const showTags = (tags: Tags): string =>
  Object.entries(tags)
    .map(([name, value]) => showLine(`${name}=${value}`))
    .join(' ')
