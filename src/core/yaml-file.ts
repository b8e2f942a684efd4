import { isMap, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml'
import type { z } from 'zod'

/** One thing that is wrong in a file a person wrote. */
export interface FileIssue {
  line: number
  /** Dotted path of the field, empty for the whole file. */
  field: string
  message: string
}

export type Parsed<T> = { ok: true; value: T } | { ok: false; issues: FileIssue[] }

/**
 * Parses YAML and checks it against a schema, saying for each fault the line, the field and the cure. `substitute` rewrites each text value
 * after parsing, so that what it puts in is never read as YAML; it throws to say why it cannot.
 */
export function parseYaml<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
  substitute?: (value: string) => string,
): Parsed<z.output<Schema>> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false })
  const syntax = document.errors.map((error) => {
    const place = lines.linePos(error.pos[0])
    return {
      line: place.line,
      field: '',
      message:
        error.code === 'DUPLICATE_KEY' ? 'has a key twice in the same mapping; keep one of them' : `is not valid YAML: ${error.message}`,
    }
  })
  if (syntax.length > 0) return { ok: false, issues: syntax }
  if (document.contents === null) return { ok: false, issues: [{ line: 1, field: '', message: 'is empty' }] }
  const failed = substitute ? substituteValues(document, lines, substitute) : []
  if (failed.length > 0) return { ok: false, issues: failed }
  let content: unknown
  try {
    content = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    return {
      ok: false,
      issues: [{ line: 1, field: '', message: `cannot be read: ${error instanceof Error ? error.message : String(error)}` }],
    }
  }
  const result = schema.safeParse(content)
  if (result.success) return { ok: true, value: result.data }
  return { ok: false, issues: result.error.issues.flatMap((issue) => issuesOf(issue, document, lines)) }
}

function substituteValues(document: Document, lines: LineCounter, substitute: (value: string) => string): FileIssue[] {
  const issues: FileIssue[] = []
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string') return
      try {
        const value = substitute(node.value)
        const plain = node.type === 'PLAIN' && value !== node.value
        node.value = plain && /^(\d+(\.\d+)?|true|false)$/.test(value) ? JSON.parse(value) : value
      } catch (error) {
        issues.push({
          line: node.range ? lines.linePos(node.range[0]).line : 1,
          field: '',
          message: error instanceof Error ? error.message : String(error),
        })
      }
    },
  })
  return issues
}

function issuesOf(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): FileIssue[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const path = [...issue.path, key]
      return {
        line: lineOf(document, lines, path),
        field: path.map(String).join('.'),
        message: 'is not a known key; correct its name or take it out',
      }
    })
  }
  const missing = issue.code === 'invalid_type' && document.getIn(issue.path) === undefined
  const message = missing
    ? `is missing; it must be ${article(issue.expected)}`
    : issue.code === 'invalid_type'
      ? `must be ${article(issue.expected)}`
      : issue.message
  return [
    {
      line: lineOf(document, lines, issue.path),
      field: issue.path.map(String).join('.'),
      message: message.replace(/^Invalid input: /, ''),
    },
  ]
}

const article = (type: string) =>
  ({
    string: 'a text',
    record: 'a mapping',
    object: 'a mapping',
    array: 'a list',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
  })[type] ?? type

/** The line of a path's key, or of the nearest parent that is there. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const last = path[length - 1]
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === last)
      if (pair && isScalar(pair.key) && pair.key.range) return lines.linePos(pair.key.range[0]).line
    } else {
      const node: unknown = document.getIn(path.slice(0, length), true)
      if (isScalar(node) && node.range) return lines.linePos(node.range[0]).line
    }
  }
  return 1
}

/** `file:line: field message`, as editors and people read it. */
export function showIssue(file: string, issue: FileIssue): string {
  return `${file}:${issue.line}: ${issue.field ? `${issue.field} ` : ''}${issue.message}`
}
