import { secretLines } from '../../lib/secret-lines.ts'
import type { FileIssue } from '../../lib/yaml/file.ts'

export const secretWarnings = (text: string): FileIssue[] =>
  secretLines(text).map(({ line, what }) => ({
    line,
    field: '',
    message: `has what looks like ${what}; whoever reads the file has it, and so has the model: take it out, and change it`,
  }))
