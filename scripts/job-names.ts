/** A name in a job file: what it is the name of, and where it is held against what there is. */
export interface JobName {
  of: string
  /** `the configuration` and `the file`: when the file is read. `the gateway`: before the first turn, and by `nightshift jobs check --live`. `the provider`: by that command, and by the first turn. `nothing`: what a server has of them shows in the run alone. */
  against: 'the configuration' | 'the file' | 'the gateway' | 'the provider' | 'time zones' | 'nothing'
}

/** Every name in a job file, by key. docs/jobs.md prints it: npm run generate. */
export const JOB_NAMES: Readonly<Record<string, JobName>> = {
  account: { of: 'account', against: 'the configuration' },
  'model.provider': { of: 'provider', against: 'the configuration' },
  'model.name': { of: 'model', against: 'the provider' },
  'model.fallback[].provider': { of: 'provider', against: 'the configuration' },
  'model.fallback[].name': { of: 'model', against: 'the provider' },
  timezone: { of: 'time zone', against: 'time zones' },
  'schedule.timezone': { of: 'time zone', against: 'time zones' },
  'schedule.input.<name>': { of: 'field of input:', against: 'the file' },
  'tools.<name>': { of: 'server', against: 'the gateway' },
  'tools.<name>.allow[]': { of: 'tool', against: 'the gateway' },
  'tools.<name>.repeatable[]': { of: 'tool under allow:', against: 'the file' },
  'tools.<name>.resources[]': { of: 'resource', against: 'nothing' },
  'output.grounded[]': { of: 'field of output.schema:', against: 'the file' },
  'deliver[].webhook': { of: 'webhook', against: 'the configuration' },
  'context[].file': { of: 'file', against: 'the file' },
  'context[].resource': { of: 'resource', against: 'the gateway' },
  'context[].prompt': { of: 'prompt of a server', against: 'the gateway' },
  'context[].server': { of: 'server under tools:', against: 'the file' },
  'context[].arguments.<name>': { of: 'argument of a prompt', against: 'the gateway' },
}
