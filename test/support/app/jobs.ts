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

/** What a job may do with the counting server: `act` has an effect and is sent once, `look` may be repeated. */
const ACT_AND_LOOK = 'counting: { allow: [act, look], repeatable: [look], minCalls: 0 }'

export interface CountingJob {
  provider?: string
  model?: string
  /** More of `model:`. */
  settings?: string
  prompt?: string
  /** Lines of `tools:`, indented by two. */
  tools?: string
  /** The value of `retry:`; the format's own unless it is given. */
  retry?: string
  /** YAML that follows. */
  more?: string
}

/** A job over the counting server. */
export const countingJob = ({
  provider = 'openai',
  model = 'scripted',
  settings = '',
  prompt = 'Do it.',
  tools = ACT_AND_LOOK,
  retry,
  more = '',
}: CountingJob = {}): string => `
account: reports
model: { provider: ${provider}, name: ${model}${settings} }
prompt: ${prompt}
tools:
  ${tools}
${retry === undefined ? '' : `retry: ${retry}`}
${more}`
