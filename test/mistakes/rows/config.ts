import { misconfigured, type Mistake } from '../row.ts'

const PROVIDERS = `providers:
  openai: { api: responses, apiKey: "\${OPENAI_API_KEY}" }
  local: { api: chat, baseUrl: http://127.0.0.1:8000/v1 }`

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
      'Each key is described in docs/configuration.md.',
    ],
  },
  {
    name: 'an address without its scheme',
    file: 'config/nightshift.yaml',
    good: 'https://mcp.example.com',
    typed: 'mcp.example.com',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:2: gateway.url must be an http or https URL, such as https://example.com',
      'Each key is described in docs/configuration.md.',
    ],
  },
  {
    name: 'a variable that is not set',
    file: 'config/nightshift.yaml',
    good: '${REPORTS_TOKEN}',
    typed: '${REPORT_TOKEN}',
    says: [
      'warning: config/nightshift.yaml:4: the variable REPORT_TOKEN is not set here; did you mean REPORTS_TOKEN? nightshift start refuses without it',
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
      'Each key is described in docs/configuration.md.',
    ],
  },
  {
    name: 'a variable without quotes in a mapping',
    file: 'config/nightshift.yaml',
    good: '"${REPORTS_TOKEN}"',
    typed: '${REPORTS_TOKEN}',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:4: is not valid YAML: a ${ stands in { } without quotes; write "${NAME}"',
      'Each key is described in docs/configuration.md.',
    ],
  },
  {
    name: 'a token and its file',
    file: 'config/nightshift.yaml',
    good: 'token: "${REPORTS_TOKEN}"',
    typed: 'token: "${REPORTS_TOKEN}", tokenFile: /x',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:4: accounts.reports has both token and tokenFile; keep one',
      'Each key is described in docs/configuration.md.',
    ],
  },
  {
    name: 'no token',
    file: 'config/nightshift.yaml',
    good: 'token: "${REPORTS_TOKEN}"',
    typed: '',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:4: accounts.reports has neither token nor tokenFile; write token: "${REPORTS_TOKEN}", a variable that is set, or tokenFile: PATH',
      'Each key is described in docs/configuration.md.',
    ],
  },
  {
    name: 'an API that there is not',
    file: 'config/nightshift.yaml',
    good: 'api: responses',
    typed: 'api: openai',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:6: providers.openai.api must be responses (OpenAI’s Responses API), chat (chat completions, which most other servers have) or anthropic (Anthropic’s Messages API)',
      'Each key is described in docs/configuration.md.',
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
      'Each key is described in docs/configuration.md.',
    ],
  },
  {
    name: 'a key that is too short',
    file: 'config/nightshift.yaml',
    good: '"${OPENAI_API_KEY}"',
    typed: 'abc',
    mended: '"${OPENAI_API_KEY}"',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:6: providers.openai.apiKey has fewer than 8 characters, and cannot be told from words; give the server a longer key, or take it out where none is wanted',
      'Each key is described in docs/configuration.md.',
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
      'Each key is described in docs/configuration.md.',
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
      'Each key is described in docs/configuration.md.',
    ],
  },
  {
    name: 'alarms to nobody',
    file: 'config/nightshift.yaml',
    good: 'log:',
    typed: 'alerts: { webhook: teem }\nlog:',
    mended: 'alerts: { webhook: team }\nlog:',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:17: alerts.webhook is teem, which is not under webhooks:; did you mean team?',
      'Each key is described in docs/configuration.md.',
    ],
  },
  {
    name: 'a webhook without a secret',
    file: 'config/nightshift.yaml',
    good: ', secret: "${HOOK_SECRET}"',
    typed: '',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:11: webhooks.team has neither secret nor secretFile; write secret: "${NAME}", where NAME is an environment variable that you set, or secretFile: PATH',
      'Each key is described in docs/configuration.md.',
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
      'Each key is described in docs/configuration.md.',
    ],
  },
  {
    name: 'an age without a unit',
    file: 'config/nightshift.yaml',
    good: 'succeeded: 30d',
    typed: 'succeeded: 30',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:16: retention.content.succeeded has no unit; write 30d for days, or 30h for hours',
      'Each key is described in docs/configuration.md.',
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
      'Each key is described in docs/configuration.md.',
    ],
  },
  {
    name: 'a port alone',
    file: 'config/nightshift.yaml',
    good: 'log:',
    typed: 'api: { listen: 8480 }\nlog:',
    mended: 'api: { listen: 127.0.0.1:8480 }\nlog:',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:17: api.listen must be host:port; write 127.0.0.1:8480 for this machine alone, or 0.0.0.0:8480 for all, which needs tokens or pomerium beside it',
      'Each key is described in docs/configuration.md.',
    ],
  },
  {
    name: 'a role that is none',
    file: 'config/nightshift.yaml',
    good: 'log:',
    typed: 'api: { tokens: { ci: { sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, role: admin } } }\nlog:',
    mended: 'api: { tokens: { ci: { sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, role: operator } } }\nlog:',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:17: api.tokens.ci.role must be viewer or runner or operator',
      'Each key is described in docs/configuration.md.',
    ],
  },
  {
    name: 'a database without its scheme',
    file: 'config/nightshift.yaml',
    good: 'log:',
    typed: 'databaseUrl: localhost:5432/nightshift\nlog:',
    mended: 'databaseUrl: postgres://localhost:5432/nightshift\nlog:',
    says: [
      'CONFIG_INVALID config/nightshift.yaml:17: databaseUrl is no address of the form postgres://host:port or postgresql://host:port. Correct it, or take it out; a port goes up to 65535, in a password each special character is written with % and its code.',
    ],
  },
  {
    name: 'a server misspelt',
    file: 'config/nightshift.yaml',
    good: 'log:',
    typed: 'servers: { labour: { maxRequestBytes: 100000 } }\nlog:',
    mended: 'servers: { labor: { maxRequestBytes: 100000 } }\nlog:',
    says: ['warning: config/nightshift.yaml:17: servers.labour is a server that no job uses; did you mean labor?'],
  },
  {
    name: 'bytes with a unit',
    file: 'config/nightshift.yaml',
    good: 'log:',
    typed: 'servers: { labor: { maxRequestBytes: 1MB } }\nlog:',
    mended: 'servers: { labor: { maxRequestBytes: 1000000 } }\nlog:',
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:17: servers.labor.maxRequestBytes must be a number; write digits alone, without quotes or a unit',
      'Each key is described in docs/configuration.md.',
    ],
  },
  {
    name: 'an account for each run, and nobody to make them',
    file: 'config/nightshift.yaml',
    good: 'token: "${REPORTS_TOKEN}"',
    typed: 'token: "${REPORTS_TOKEN}", perRun: true',
    mended: 'token: "${REPORTS_TOKEN}", perRun: true',
    elsewhere: { good: 'log:', mended: 'minter: { socket: /run/nightshift/minter.sock }\nlog:' },
    says: [
      'CONFIG_INVALID The configuration has a fault:',
      'config/nightshift.yaml:4: accounts.reports.perRun needs the process that makes such accounts; add minter: { socket: /run/nightshift/minter.sock } at the top level of this file, or take perRun out',
      'Each key is described in docs/configuration.md.',
    ],
  },
  {
    name: 'jobs of nowhere',
    file: 'config/nightshift.yaml',
    good: 'log:',
    typed: 'jobsDir: ./jobs\nlog:',
    mended: 'jobsDir: ../jobs\nlog:',
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
      'warning: config/nightshift.yaml:4: has what looks like a JSON Web Token, and others on this machine can read the file; write ${NAME} and set the variable, name a file with the secret, or take the reading away: chmod 600',
    ],
  },
  misconfigured(
    'a variable of templates',
    'url: https://mcp.example.com',
    'url: "{{ POMERIUM_URL }}"',
    '2: has {{ POMERIUM_URL }}, which is no variable here; write ${POMERIUM_URL}',
    { mended: 'url: "${POMERIUM_URL}"' },
  ),
  misconfigured(
    'a variable of templates without quotes',
    'url: https://mcp.example.com',
    'url: {{ POMERIUM_URL }}',
    '2: has {{, which is no variable here; write "${NAME}", with the quotes',
    { mended: 'url: "${POMERIUM_URL}"' },
  ),
  misconfigured(
    'providers as a list',
    PROVIDERS,
    'providers:\n  - { name: openai, api: responses, apiKey: "${OPENAI_API_KEY}" }\n  - { name: local, api: chat, baseUrl: http://127.0.0.1:8000/v1 }',
    '6: providers must be a mapping; write openai: { api: … } for - { name: openai, api: … }, and each other entry in the same way',
  ),
  misconfigured(
    'alarms to an address',
    'log:',
    'alerts: { webhook: https://hooks.example.com/nightshift }\nlog:',
    '17: alerts.webhook is an address; write the name that it has under webhooks:; known are team',
    { mended: 'alerts: { webhook: team }\nlog:' },
  ),
  misconfigured(
    'an account as a text',
    'reports: { token: "${REPORTS_TOKEN}" }',
    'reports: "${REPORTS_TOKEN}"',
    '4: accounts.reports must be a mapping with token, tokenFile, concurrency, perRun',
  ),
]
