import type { Mistake } from './row.ts'
import { CONFIG } from './rows/config.ts'
import { CURES, DOUBTS } from './rows/doubts.ts'
import { MEANING } from './rows/meaning.ts'
import { SLIPS } from './rows/slips.ts'
import { TEMPLATES } from './rows/templates.ts'
import { TEXTS } from './rows/texts.ts'
import { YAML } from './rows/yaml.ts'

/** Typical mistakes, each made once by hand. */
export const MISTAKES: readonly Mistake[] = [...SLIPS, ...YAML, ...MEANING, ...DOUBTS, ...CURES, ...TEMPLATES, ...TEXTS, ...CONFIG]
