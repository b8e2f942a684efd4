import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { z } from 'zod'
import { parseCheckpoint, takeCheckpoint, verifyStore, type StoreVerdict } from '../../../audit/evidence/checkpoint.ts'
import { exportBundle, verifyBundle } from '../../../audit/evidence/bundle.ts'
import { openSigningKey, readPublicKey } from '../../../audit/evidence/keys.ts'
import { EXIT, Failure, messageOf } from '../../../core/failure.ts'
import { loadDefinitions, loadEvents } from '../../../store/audit/evidence.ts'
import { requireRun } from '../../../runs/require.ts'
import { createLines } from '../../terminal/lines.ts'
import { configOf, examples, openStoreOf, type AddCommand } from '../../options/options.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

const exportOptions = z.object({ out: z.string().optional() })
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
    .description('one file with definition, prompt, turns, tool calls, gateway requests, lines of Pomerium’s log and output; signed')
    .option('-o, --out <file>', 'where to write it; stdout without it')
    .addHelpText(
      'after',
      examples('nightshift evidence export run_019a… --out run.evidence.json', 'nightshift evidence export run_019a… | sha256sum'),
    )
    .action(async (id: string, _: unknown, command: Command) => {
      const { out } = exportOptions.parse(command.optsWithGlobals())
      const config = configOf(command, terminal)
      await using store = await openStoreOf(config)
      const run = await requireRun(store.db, id)
      const key = openSigningKey(config.evidence.keyFile)
      const bundle = exportBundle({ run, definitions: await loadDefinitions(store.db, id), events: await loadEvents(store.db, id) }, key)
      if (out === undefined) terminal.out(bundle.trimEnd())
      else {
        writeFileSync(out, bundle, { mode: 0o600 })
        terminal.out(
          `${out}: ${Buffer.byteLength(bundle)} bytes. Verify it with: nightshift evidence verify ${out} --key ${config.evidence.keyFile}.pub`,
        )
      }
      done(EXIT.ok)
    })

  evidence
    .command('verify [file]')
    .description('check an exported file with the public key alone, or with --store all runs against the checkpoints')
    .option('-k, --key <file>', 'public key (.pub) of the deployment that exported it')
    .option('--store', 'check the store instead of a file')
    .option('--anchor <file...>', 'with --store: checkpoints that were kept outside')
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
      done(file === undefined ? await verifyAll(command, terminal, options) : verifyFile(file, command, terminal, options))
    })

  evidence
    .command('checkpoint')
    .description('take a checkpoint of the runs that have ended since the last; keep it outside, and rewriting is found later')
    .option('-o, --out <file>', 'where to write it; stdout without it')
    .addHelpText('after', examples('nightshift evidence checkpoint --out checkpoint-$(date +%F).json'))
    .action(async (_: unknown, command: Command) => {
      const { out } = exportOptions.parse(command.optsWithGlobals())
      const config = configOf(command, terminal)
      await using store = await openStoreOf(config)
      const checkpoint = await takeCheckpoint(store.db, openSigningKey(config.evidence.keyFile))
      if (!checkpoint) terminal.err('No run has ended since the last checkpoint; one counts five minutes after its end.')
      else if (out === undefined) terminal.out(JSON.stringify(checkpoint))
      else {
        writeFileSync(out, `${JSON.stringify(checkpoint)}\n`)
        terminal.out(`${out}: checkpoint ${checkpoint.number} of ${checkpoint.count} runs.`)
      }
      done(EXIT.ok)
    })
}

function verifyFile(file: string, command: Command, terminal: Terminal, { key, json }: z.output<typeof verifyOptions>): number {
  const publicKey = readPublicKey(key ?? defaultKey(command, terminal))
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The file ${file} cannot be read: ${messageOf(cause)}.`,
      cure: 'Name an exported file.',
      cause,
    })
  }
  const verdict = verifyBundle(bytes, publicKey)
  const lines = createLines(terminal)
  if (json)
    terminal.out(
      JSON.stringify(
        verdict.ok ? { ok: true, run: verdict.bundle.run, entries: verdict.bundle.count, exportedAt: verdict.bundle.exportedAt } : verdict,
      ),
    )
  else if (!verdict.ok) terminal.out(lines.step('evidence', terminal.colors.red(`not genuine: ${verdict.why}`)))
  else {
    const kinds = Map.groupBy(verdict.bundle.entries, ({ kind }) => kind)
    terminal.out(lines.step('evidence', terminal.colors.green('genuine and whole')))
    terminal.out(lines.step('run', fit(verdict.bundle.run, 80)))
    terminal.out(lines.step('exported', fit(verdict.bundle.exportedAt, 40)))
    terminal.out(lines.step('holds', [...kinds].map(([kind, entries]) => `${entries.length} ${fit(kind, 30)}`).join(', ')))
    terminal.out(`\n${PROVES}`)
  }
  return verdict.ok ? EXIT.ok : EXIT.evidence
}

/** The key of this deployment, where there is a configuration. */
function defaultKey(command: Command, terminal: Terminal): string {
  const file = `${configOf(command, terminal).evidence.keyFile}.pub`
  if (!existsSync(file)) throw new Failure({ code: 'KEY_INVALID', message: `There is no public key ${file}.` })
  return file
}

async function verifyAll(command: Command, terminal: Terminal, { key, anchor, json }: z.output<typeof verifyOptions>): Promise<number> {
  const config = configOf(command, terminal)
  await using store = await openStoreOf(config)
  const anchors = anchor.map((file) => {
    try {
      return parseCheckpoint(readFileSync(file, 'utf8'))
    } catch (cause) {
      throw new Failure({
        code: 'COMMAND_INVALID',
        message: `${file} is no checkpoint: ${messageOf(cause).split('\n')[0] ?? ''}.`,
        cure: 'Name a file that evidence checkpoint wrote.',
        cause,
      })
    }
  })
  const verdict = await verifyStore(store.db, readPublicKey(key ?? `${config.evidence.keyFile}.pub`), anchors)
  terminal.out(json ? JSON.stringify(verdict, null, 2) : showStore(verdict, terminal))
  return verdict.faults.length === 0 ? EXIT.ok : EXIT.evidence
}

function showStore({ checkpoints, runs, intact, pruned, faults }: StoreVerdict, terminal: Terminal): string {
  const lines = createLines(terminal)
  return [
    lines.step('store', `${checkpoints} checkpoints, ${runs} runs: ${intact} intact, ${pruned} removed by retention`),
    ...faults.map((fault) => lines.step('fault', terminal.colors.red(fit(fault, terminal.columns - 12)))),
    ...(faults.length === 0 ? [lines.step('verdict', terminal.colors.green('every run is as it was when its checkpoint was taken'))] : []),
  ].join('\n')
}
