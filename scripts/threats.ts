/** Who might change the record. */
export const WHO = ['reads the store', 'writes the store', 'holds the key', 'owns a worker', 'owns the log', 'operates Pomerium'] as const
/** What he might do to it. */
export const WHAT = ['edit', 'delete', 'add', 'reorder', 'backdate', 'drop the newest'] as const

export interface Threat {
  who: (typeof WHO)[number]
  what: readonly (typeof WHAT)[number][]
  /** What notices it, when and for whom; or why nothing does. */
  noticed: string
  /** `file: title` of the tests that show it. Without any, nothing notices it. */
  tests: readonly string[]
}

const SIGNER = 'audit/evidence/signer.test.ts'
const COLUMNS = 'audit/evidence/columns.test.ts'
const BUNDLE = 'audit/evidence/bundle.test.ts'
const EDITS = `${COLUMNS}: each column is signed, or changes by right for a reason that is named; each edit of what is signed is noticed`
const ROWS = `${COLUMNS}: a row that is taken away is noticed`
const ADDED = `${COLUMNS}: a row that is added to those of a time that is signed is noticed`
const REMOVALS = 'audit/evidence/removals.test.ts'
const ATTACKS = 'audit/evidence/attacks.test.ts'
const ANCHOR = `${BUNDLE}: a row that is changed or deleted after a checkpoint is found, and so is a checkpoint that is not the one kept outside`
const STRANGER = 'audit/log/watch.test.ts: whatever the sender of a request chose in its line, an alarm is raised, and its size is bounded'
const MISSING = 'cli/commands/service/doctor.test.ts: a log that nobody reads any more'

/** Who can do what to the record, and what notices it. SECURITY.md prints it: npm run generate. */
export const THREATS: readonly Threat[] = [
  {
    who: 'reads the store',
    what: WHAT,
    noticed: 'cannot: it changes nothing, and what signs is not in the store. That somebody read is not noticed here',
    tests: [`${SIGNER}: whoever reads the store, and the bundles and checkpoints that left it, finds nothing there by which he could sign`],
  },
  {
    who: 'writes the store',
    what: ['edit', 'reorder', 'backdate'],
    noticed:
      'a run that ended, a line of the log, an act, an alarm, a fire, a suspect or a note of a removal, after its checkpoint: `evidence verify --store`, whoever runs it. Before it (a day at most): nothing, unless Pomerium’s own log is compared. Not: what is like something that happens by right, such as an alarm that is said to be sent, or a suspect that is said to be acknowledged',
    tests: [
      EDITS,
      `${ATTACKS}: a list of a checkpoint that is no list any more is a fault, and stops nobody: %s`,
      'audit/evidence/honest.test.ts: no honest store is accused, whatever happens to it by right (seed %i)',
    ],
  },
  {
    who: 'writes the store',
    what: ['delete'],
    noticed:
      'the same; a removal that is made to look like retention’s is found where no retention was ever set that removes it by then, which the checkpoints say. Not: what retention would remove as well',
    tests: [
      ROWS,
      ANCHOR,
      `${REMOVALS}: of a run, %s`,
      `${REMOVALS}: of a run, with a note that is rewritten, or taken away, once its time has come`,
      `${REMOVALS}: of content, %s`,
      `${REMOVALS}: of lines of the log, %s`,
      `${REMOVALS}: of alarms, fires and suspects`,
    ],
  },
  {
    who: 'writes the store',
    what: ['drop the newest'],
    noticed:
      'checkpoints that are dropped, or a store that is put back: the signer refuses within an hour (`EVIDENCE_GAP`, the duty’s failure, `doctor`), `nightshift_checkpoint_number` falls, and `evidence verify --store` finds it where it can read what the signer remembers. Runs without a checkpoint: nothing, but their lines of the log have no request',
    tests: [
      `${SIGNER}: the newest one dropped`,
      `${SIGNER}: all checkpoints dropped`,
      `${ATTACKS}: a checkpoint that is said to be of another time, and a newest one that was dropped, are found`,
      `${SIGNER}: one that is dropped in the middle is found by verifying`,
      `${SIGNER}: an older state of the store, until a person says why, which every verification shows for ever`,
      'audit/evidence/restored.test.ts: a store that was put back verifies, and an older backup of it is a gap with its cure: nightshift backup and restore',
    ],
  },
  {
    who: 'writes the store',
    what: ['add'],
    noticed:
      'to what is signed, or with a time of which all is signed: `evidence verify --store`. A run of its own: nothing, but its requests have no line in Pomerium’s log (`audit report`: missing). A checkpoint without the key: `evidence verify --store`, and the signer refuses',
    tests: [EDITS, ADDED, `${SIGNER}: a link that a stranger adds behind ours is found, a gap that he accepted himself too`],
  },
  {
    who: 'holds the key',
    what: WHAT,
    noticed:
      'with the key alone, no checkpoint gets into the store, and bundles that he makes verify. With the store too, he rewrites all: checkpoints that were kept outside do not agree (log line, event of `alerts.checkpoints`, `--anchor`), when somebody compares them. Rotate the key at once',
    tests: [ANCHOR, `${SIGNER}: each checkpoint leaves the house: a log line with number, hash and key, and an event where alarms go`],
  },
  {
    who: 'owns a worker',
    what: ['edit', 'add', 'backdate'],
    noticed:
      'of runs that it does: nothing of what it says about results and answers; requests that it says it made and did not make are missing in `audit report`. Of runs that are signed: as who writes the store',
    tests: [EDITS],
  },
  {
    who: 'owns a worker',
    what: ['delete', 'reorder', 'drop the newest'],
    noticed:
      'requests that it does not write down are unexplained lines: an alarm after the grace time, an account that is suspect, exit code 3 of `audit report`',
    tests: [STRANGER],
  },
  {
    who: 'owns the log',
    what: ['delete', 'drop the newest'],
    noticed:
      'requests of ours without a line: `audit report` (missing), and `doctor` once no line comes any more. Not: lines of requests that are not ours',
    tests: [MISSING],
  },
  {
    who: 'owns the log',
    what: ['edit', 'add', 'reorder', 'backdate'],
    noticed:
      'before it is read: a line that fits no request of ours is unexplained, and one that is made to fit hides the request that it was. After it was read and signed, `evidence verify --store` still has the line as it was',
    tests: ['audit/join/property.test.ts: lines whose ids were given to other accounts, hosts or methods match nothing', EDITS],
  },
  {
    who: 'operates Pomerium',
    what: WHAT,
    noticed:
      'as who owns the log: requests of ours that get no line are missing, lines of our accounts that no request of ours explains are unexplained. Not: requests that he makes without a line, by tokens that he makes, and what he says was allowed: what Pomerium decides is trusted',
    tests: [MISSING, STRANGER],
  },
]

/** A row of the table in SECURITY.md. */
export const threatCells = ({ who, what, noticed, tests }: Threat): string[] => [
  who,
  what.length === WHAT.length ? 'all of it' : what.join(', '),
  noticed,
  tests.length === 0 ? 'none' : [...new Set(tests.map((test) => `\`test/${test.split(': ')[0]}\``))].join(', '),
]
