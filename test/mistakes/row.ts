/** A slip of whoever writes the files of a deployment, and every line that `nightshift jobs check` says of it. */
export interface Mistake {
  name: string
  file: 'jobs/report.yaml' | 'config/nightshift.yaml'
  /** What stands in the good file; what stands there instead. */
  good: string
  typed: string
  /** Others on the machine can read the files. */
  readable?: boolean
  says: readonly string[]
  /** What stands there once the cure was followed to the letter; the good text where it is not given. */
  mended?: string
  /** What the cure changes in another place of the same file. */
  elsewhere?: { good: string; mended: string }
}

type Mended = Pick<Mistake, 'mended' | 'elsewhere'>

/** A slip in the job file, with what is said of it from its line on. */
export const slip = (name: string, good: string, typed: string, says: string, mended: Mended = {}): Mistake => ({
  name,
  file: 'jobs/report.yaml',
  good,
  typed,
  says: [`jobs/report.yaml:${says}`],
  ...mended,
})

/** A slip in the job file with which it is read all the same: what is said of it is a warning. */
export const doubt = (name: string, good: string, typed: string, says: string, mended: Mended = {}): Mistake => ({
  ...slip(name, good, typed, says, mended),
  says: [`warning: jobs/report.yaml:${says}`],
})

/** A slip in the configuration that keeps it from being read. */
export const misconfigured = (name: string, good: string, typed: string, says: string, mended: Mended = {}): Mistake => ({
  name,
  file: 'config/nightshift.yaml',
  good,
  typed,
  says: [
    'CONFIG_INVALID The configuration has a fault:',
    `config/nightshift.yaml:${says}`,
    'Each key is described in docs/configuration.md.',
  ],
  ...mended,
})

export const CONFIG = `gateway:
  url: https://mcp.example.com
accounts:
  reports: { token: "\${REPORTS_TOKEN}" }
providers:
  openai: { api: responses, apiKey: "\${OPENAI_API_KEY}" }
  local: { api: chat, baseUrl: http://127.0.0.1:8000/v1 }
prices:
  gpt-5.4-mini: { input: 0.25, cachedInput: 0.025, output: 2 }
webhooks:
  team: { url: https://hooks.example.com/nightshift, secret: "\${HOOK_SECRET}" }
budgets:
  jobs: { report: { costUsd: 2 } }
  accounts: { reports: { tokens: 5000000 } }
retention:
  content: { succeeded: 30d }
log: { level: info }
`

export const JOB = `description: Unemployment by industry, each Monday
account: reports
model: { provider: openai, name: gpt-5.4-mini }
schedule: { cron: "0 7 * * 1", timezone: Europe/Zurich }
prompt: |
  Report unemployment by industry as of {{ fire_time | date: "%F" }}.
tools:
  labor: { allow: [describe_tables, query], repeatable: [query] }
output:
  schema:
    type: object
    required: [summary]
    properties:
      summary: { type: string }
limits: { turns: 12, costUsd: 0.5, deadline: 10m }
deliver:
  - { webhook: team, when: changed }
`
