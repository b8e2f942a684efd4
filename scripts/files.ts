/** A key that names a file, a directory or a socket. */
export interface FileRow {
  /** Of the configuration, or of the minter's after `minter:`. */
  key: string
  change: string
}

const EACH_COMMAND = 'It is read by commands of `nightshift account` alone, each time.'
const EACH_CONNECTION = 'It is read for each new connection; one that cannot be used leaves in force what was.'
const OTHER_PLACE = 'It is written to by its name, each time.'

/** Every key that names something by its path, and when a change of what stands there counts. docs/configuration.md prints it: npm run generate. */
export const FILES: readonly FileRow[] = [
  {
    key: 'databasePasswordFile',
    change: 'The log says, within ten seconds, that `databaseUrl` is in force after a restart. Keep both passwords valid until then.',
  },
  { key: 'dataDir', change: 'It belongs to the embedded Postgres: do not change it while one runs.' },
  {
    key: 'jobsDir',
    change: 'Its files are read within a second, a directory that took its place within two, one that tells nothing within half a minute.',
  },
  {
    key: 'gateway.caFile',
    change: 'It is read for each new connection; one that cannot be used leaves in force what was, and `doctor` tells it.',
  },
  { key: 'accounts.<name>.tokenFile', change: 'It is looked at once a second, and again when Pomerium refuses the token.' },
  { key: 'providers.<name>.apiKeyFile', change: 'It is read for each request.' },
  { key: 'providers.<name>.caFile', change: EACH_CONNECTION },
  { key: 'reportsDir', change: OTHER_PLACE },
  { key: 'webhooks.<name>.secretFile', change: 'It is read for each message.' },
  { key: 'webhooks.<name>.caFile', change: EACH_CONNECTION },
  { key: 'evidence.keyFile', change: 'It is read for each checkpoint.' },
  { key: 'evidence.memoryFile', change: 'It is read for each checkpoint, and written after it.' },
  { key: 'admin.sharedSecretFile', change: EACH_COMMAND },
  { key: 'admin.caFile', change: EACH_COMMAND },
  { key: 'minter.socket', change: 'It is connected to by its name for each account, so that the minter may be started again.' },
  { key: 'minter: socket', change: 'It is made at the start of the minter, in the place of one that nobody listens on.' },
  { key: 'minter: sharedSecretFile', change: 'It is read for each account.' },
  { key: 'minter: caFile', change: EACH_CONNECTION },
]
