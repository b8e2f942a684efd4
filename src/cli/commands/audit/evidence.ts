import type { Command } from 'commander'
import { z } from 'zod'
import { modesOf } from '../../../lib/files/readable-by.ts'
import type { Verdict } from '../../../audit/evidence/bundle.ts'
import { checkpoint, exportRun, verifyExport, verifyRuns } from '../../../audit/evidence/files.ts'
import { publicKeyFile } from '../../../audit/evidence/keys.ts'
import { keyIdOf } from '../../../lib/hash/public-key.ts'
import { Failure } from '../../../core/failure.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { requireId, requireRun } from '../../../runs/lookup.ts'
import { requireWritable, writeNamed } from '../../terminal/file.ts'
import { createLines } from '../../terminal/lines.ts'
import { configOf, examples, openStoreOf, type AddCommand } from '../../options/options.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'
import { whoami } from '../../options/whoami.ts'
import { showStore } from './store-verdict.ts'
import { addEvidenceKey } from './evidence-key.ts'

const outOptions = z.object({ out: z.string().optional() })
const exportOptions = outOptions.extend({ withContents: z.boolean().default(false) })
const checkpointOptions = outOptions.extend({ acceptGap: z.string().min(1).optional() })
const verifyOptions = z.object({
  key: z.string().optional(),
  store: z.boolean().default(false),
  anchor: z.array(z.string()).default([]),
  json: z.boolean().default(false),
})

const PROVES = `It proves that whoever holds the private key exported exactly this, and that nothing in it was changed, added or left out since.
It does not prove that what was written down is true: tool results and answers are what servers and the model said, and lines of Pomerium's log are as
they were imported. Compare request ids with the log itself where that matters.`

export const addEvidence: AddCommand = (program, terminal, done) => {
  const evidence = program.command('evidence').description('export what is known of runs, signed, and verify it')

  evidence
    .command('export <run>')
    .description(
      'one file with definition, prompt, turns, tool calls, gateway requests, acts, earlier ends, lines of Pomerium’s log and output; signed, with a proof that a checkpoint has the run so',
    )
    .option('-o, --out <file>', 'where to write it; stdout without it')
    .option('--with-contents', 'with the whole of large results and images, which it else names by their digests')
    .addHelpText(
      'after',
      examples('nightshift evidence export run_019a… --out run.evidence.json', 'nightshift evidence export run_019a… | sha256sum'),
    )
    .action(async (id: string, _: unknown, command: Command) => {
      const { out, withContents: contents } = exportOptions.parse(command.optsWithGlobals())
      const config = configOf(command, terminal)
      await using store = await openStoreOf(config)
      if (out !== undefined) requireWritable(out)
      const { keyFile, readableBy } = config.evidence
      const {
        text: bundle,
        unproved,
        faults,
      } = await exportRun(store.db, await requireRun(store.db, await requireId(store.db, id)), keyFile, {
        contents,
      })
      for (const fault of faults) terminal.err(`Attention: ${fault}.`)
      if (unproved !== undefined) terminal.err(`Without a proof by a checkpoint: ${unproved}.`)
      if (out === undefined) terminal.out(bundle.trimEnd())
      else {
        writeNamed(out, bundle, modesOf(readableBy).file)
        terminal.out(
          `${out}: ${Buffer.byteLength(bundle)} bytes. Verify it with: nightshift evidence verify ${out} --key ${publicKeyFile(keyFile)}`,
        )
      }
      done(EXIT.ok)
    })

  evidence
    .command('verify [file]')
    .description('check an exported file with the public key alone, or with --store all runs against the checkpoints')
    .option('-k, --key <file>', 'public key (.pub) of the deployment that exported it')
    .option('--store', 'check the store instead of a file')
    .option('--anchor <file...>', 'checkpoints that were kept outside: those of the store, or of the proof in the file, are to be the same')
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples(
        'nightshift evidence verify run.evidence.json --key evidence.key.pub',
        'nightshift evidence verify --store --anchor checkpoint-0007.json',
      ),
    )
    .action(async (file: string | undefined, _: unknown, command: Command) => {
      const options = verifyOptions.parse(command.optsWithGlobals())
      if ((file === undefined) !== options.store)
        throw new Failure({
          code: 'COMMAND_INVALID',
          message: 'Name a file, or write --store.',
        })
      done(file === undefined ? await checkStore(command, terminal, options) : checkFile(file, command, terminal, options))
    })

  evidence
    .command('checkpoint')
    .description('take a checkpoint of the runs that have ended since the last; keep it outside, and rewriting is found later')
    .option('-o, --out <file>', 'where to write it; stdout without it')
    .option('--accept-gap <reason>', 'go on although the store is not as it was signed; every later verification shows the reason')
    .addHelpText('after', examples('nightshift evidence checkpoint --out checkpoint-$(date +%F).json'))
    .action(async (_: unknown, command: Command) => {
      const { out, acceptGap: reason } = checkpointOptions.parse(command.optsWithGlobals())
      if (out !== undefined) requireWritable(out)
      const config = configOf(command, terminal)
      await using store = await openStoreOf(config)
      const taken = await checkpoint(store.db, config.evidence, {
        sends: config.alerts?.checkpoints ?? false,
        keep: config.retention,
        gap: reason === undefined ? undefined : { acceptedBy: whoami(), reason },
      })
      if (!taken) terminal.err('No run has ended since the last checkpoint; one counts five minutes after its end.')
      else if (out === undefined) terminal.out(JSON.stringify(taken))
      else {
        writeNamed(out, `${JSON.stringify(taken)}\n`, modesOf(config.evidence.readableBy).file)
        terminal.out(`${out}: checkpoint ${taken.number} of ${taken.count} runs, ${taken.hash}, by key ${keyIdOf(taken.publicKey)}.`)
      }
      done(EXIT.ok)
    })

  addEvidenceKey(evidence, terminal, done)
}

function checkFile(file: string, command: Command, terminal: Terminal, { key, anchor, json }: z.output<typeof verifyOptions>): number {
  const verdict = verifyExport(file, key ?? publicKeyFile(configOf(command, terminal).evidence.keyFile), anchor)
  terminal.out(json ? JSON.stringify(jsonOf(verdict)) : showVerdict(verdict, terminal))
  return verdict.ok ? EXIT.ok : EXIT.evidence
}

const jsonOf = (verdict: Verdict) =>
  verdict.ok
    ? {
        ok: true,
        run: verdict.bundle.run,
        entries: verdict.bundle.count,
        exportedAt: verdict.bundle.exportedAt,
        provenIn: verdict.provenIn.map(({ number, hash, takenAt, publicKey }) => ({ number, hash, takenAt, key: keyIdOf(publicKey) })),
      }
    : verdict

function showVerdict(verdict: Verdict, terminal: Terminal): string {
  const lines = createLines(terminal)
  if (!verdict.ok) return lines.step('evidence', terminal.colors.red(`not genuine: ${verdict.why}`))
  const { run, exportedAt, entries } = verdict.bundle
  const kinds = Map.groupBy(entries, ({ kind }) => kind)
  return [
    lines.step('evidence', terminal.colors.green('genuine and whole')),
    lines.step('run', fit(run, 80)),
    lines.step('exported', fit(exportedAt, 40)),
    lines.step('holds', [...kinds].map(([kind, ofKind]) => `${ofKind.length} ${fit(kind, 30)}`).join(', ')),
    ...verdict.provenIn.map(({ number, hash, publicKey }) =>
      lines.step('proved', `in checkpoint ${number} (${hash}), signed by key ${keyIdOf(publicKey)}`),
    ),
    `\n${PROVES}`,
  ].join('\n')
}

async function checkStore(command: Command, terminal: Terminal, { key, anchor, json }: z.output<typeof verifyOptions>): Promise<number> {
  const config = configOf(command, terminal)
  await using store = await openStoreOf(config)
  const verdict = await verifyRuns(store.db, key ?? publicKeyFile(config.evidence.keyFile), anchor, {
    keep: config.retention,
    memoryFile: config.evidence.memoryFile,
  })
  terminal.out(json ? JSON.stringify(verdict, null, 2) : showStore(verdict, terminal))
  return verdict.faults.length === 0 ? EXIT.ok : EXIT.evidence
}
