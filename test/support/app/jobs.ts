/** A job that takes input and uses one tool. */
export const WORK = `
account: reports
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  labor: { allow: [describe_tables], repeatable: [describe_tables] }
input: { type: object, properties: { n: { type: integer }, any: {} } }
retry: { attempts: 1 }
`

export const WORK_SCRIPT = 'call labor__describe_tables {}\nsay Done it.'
