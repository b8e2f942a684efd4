import type { Mistake } from '../row.ts'

/** The configuration. */
export const CONFIG: readonly Mistake[] = [
  {
    name: 'a section misspelt',
    file: 'config/nightshift.yaml',
    good: 'gateway:',
    typed: 'gatway:',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:1: gatway is not a known key; did you mean gateway?',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'an address without its scheme',
    file: 'config/nightshift.yaml',
    good: 'https://mcp.example.com',
    typed: 'mcp.example.com',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:2: gateway.url must be an http or https URL',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'a variable that is not set',
    file: 'config/nightshift.yaml',
    good: '${REPORTS_TOKEN}',
    typed: '${REPORT_TOKEN}',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:4: uses the variable REPORT_TOKEN, which is not set; set it, or write ${REPORT_TOKEN:-default}',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'a variable without braces',
    file: 'config/nightshift.yaml',
    good: '"${REPORTS_TOKEN}"',
    typed: '$REPORTS_TOKEN',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:4: is $REPORTS_TOKEN, which is no variable here; write ${REPORTS_TOKEN}',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'a variable without quotes in a mapping',
    file: 'config/nightshift.yaml',
    good: '"${REPORTS_TOKEN}"',
    typed: '${REPORTS_TOKEN}',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:4: is not valid YAML: Unexpected flow-map-start at node end; put a text that begins with a sign in quotes, and close each bracket and quote',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'a token and its file',
    file: 'config/nightshift.yaml',
    good: 'token: "${REPORTS_TOKEN}"',
    typed: 'token: "${REPORTS_TOKEN}", tokenFile: /x',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:4: accounts.reports needs exactly one of token and tokenFile',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'no token',
    file: 'config/nightshift.yaml',
    good: 'token: "${REPORTS_TOKEN}"',
    typed: '',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:4: accounts.reports needs exactly one of token and tokenFile',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'an API that there is not',
    file: 'config/nightshift.yaml',
    good: 'api: responses',
    typed: 'api: openai',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:6: providers.openai.api must be responses or chat or anthropic',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'a key of another section',
    file: 'config/nightshift.yaml',
    good: 'baseUrl: http://127.0.0.1:8000/v1',
    typed: 'url: http://127.0.0.1:8000/v1',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:7: providers.local.url is not a known key; did you mean baseUrl?',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'a key that is too short',
    file: 'config/nightshift.yaml',
    good: '"${OPENAI_API_KEY}"',
    typed: 'abc',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:6: providers.openai.apiKey has fewer than 8 characters, and cannot be told from words; give the server a longer key, or take it out where none is wanted',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'a price without its output',
    file: 'config/nightshift.yaml',
    good: ', output: 2',
    typed: '',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:9: prices.gpt-5.4-mini.output is missing; it must be a number',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'a budget of a job that is not there',
    file: 'config/nightshift.yaml',
    good: '{ report: { costUsd: 2 } }',
    typed: '{ reprot: { costUsd: 2 } }',
    says: ['config/nightshift.yaml:13: budgets.jobs.reprot names reprot, which is no job; did you mean report?'],
  },
  {
    name: 'a budget of an account that is not there',
    file: 'config/nightshift.yaml',
    good: '{ reports: { tokens: 5000000 } }',
    typed: '{ report: { tokens: 5000000 } }',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:14: budgets.accounts.report is not under accounts:; did you mean reports?',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'alarms to nobody',
    file: 'config/nightshift.yaml',
    good: 'log:',
    typed: 'alerts: { webhook: teem }\nlog:',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:17: alerts.webhook is teem, which is not under webhooks:; did you mean team?',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'a webhook without a secret',
    file: 'config/nightshift.yaml',
    good: ', secret: "${HOOK_SECRET}"',
    typed: '',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:11: webhooks.team needs exactly one of secret and secretFile',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'a status misspelt',
    file: 'config/nightshift.yaml',
    good: 'succeeded: 30d',
    typed: 'succeded: 30d',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:16: retention.content.succeded is not a known key; did you mean succeeded?',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'an age without a unit',
    file: 'config/nightshift.yaml',
    good: 'succeeded: 30d',
    typed: 'succeeded: 30',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:16: retention.content.succeeded is not a duration; write a number and ms, s, m, h or d, such as 30d, or forever',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'a log level that is none',
    file: 'config/nightshift.yaml',
    good: 'level: info',
    typed: 'level: verbose',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:17: log.level must be trace or debug or info or warn or error or silent',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'a port alone',
    file: 'config/nightshift.yaml',
    good: 'log:',
    typed: 'api: { listen: 8480 }\nlog:',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:17: api.listen must be a text; put it in quotes',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'a role that is none',
    file: 'config/nightshift.yaml',
    good: 'log:',
    typed: 'api: { tokens: { ci: { sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, role: admin } } }\nlog:',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:17: api.tokens.ci.role must be viewer or runner or operator',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'a database without its scheme',
    file: 'config/nightshift.yaml',
    good: 'log:',
    typed: 'databaseUrl: localhost:5432/nightshift\nlog:',
    says: [
      'CONFIG_INVALID config/nightshift.yaml:17: databaseUrl is no address of the form postgres://host:port or postgresql://host:port. Correct it, or take it out; a port goes up to 65535, in a password each special character is written with % and its code, and a database of Redis is a number.',
    ],
  },
  {
    name: 'a server misspelt',
    file: 'config/nightshift.yaml',
    good: 'log:',
    typed: 'servers: { labour: { maxRequestBytes: 100000 } }\nlog:',
    says: ['config/nightshift.yaml:17: servers.labour is a server that no job uses; did you mean labor?'],
  },
  {
    name: 'bytes with a unit',
    file: 'config/nightshift.yaml',
    good: 'log:',
    typed: 'servers: { labor: { maxRequestBytes: 1MB } }\nlog:',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:17: servers.labor.maxRequestBytes must be a number; write digits alone, without quotes or a unit',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'an account for each run, and nobody to make them',
    file: 'config/nightshift.yaml',
    good: 'token: "${REPORTS_TOKEN}"',
    typed: 'token: "${REPORTS_TOKEN}", perRun: true',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:4: accounts.reports.perRun needs minter: { socket } to be configured',
      'Correct the file or variable named.',
    ],
  },
  {
    name: 'jobs of nowhere',
    file: 'config/nightshift.yaml',
    good: 'log:',
    typed: 'jobsDir: ./jobs\nlog:',
    says: [
      "CONFIG_INVALID config/nightshift.yaml:17: jobsDir names a directory that cannot be read: ENOENT: no such file or directory, scandir 'config/jobs'. Make it, or correct jobsDir.",
    ],
  },
  {
    name: 'a token in a file that all can read',
    file: 'config/nightshift.yaml',
    good: '"${REPORTS_TOKEN}"',
    typed: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzdmMtcmVwb3J0cyJ9.c2lnbmF0dXJl',
    readable: true,
    says: [
      'config/nightshift.yaml:4: has what looks like a JSON Web Token, and others on this machine can read the file; write ${NAME} and set the variable, name a file with the secret, or take the reading away: chmod 600',
    ],
  },
]
