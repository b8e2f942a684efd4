import { z } from 'zod'
import { backUp } from '../../../app/backup/backup.ts'
import { restore } from '../../../app/backup/restore.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { actorHere } from '../../options/actor.ts'
import { configOf, examples, type AddCommand } from '../../options/options.ts'
import { requireWritable } from '../../terminal/file.ts'

const optionsSchema = z.object({ json: z.boolean().default(false) })

export const addBackup: AddCommand = (program, terminal, done) => {
  program
    .command('backup <file>')
    .description(
      'write all that the embedded store has into a file, as it is now, while Nightshift is at work; of a Postgres of your own it names the command',
    )
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples('nightshift backup /backup/nightshift-$(date +%F).zst', 'nightshift backup /dev/stdout 2> notes | age -r age1… > store.age'),
    )
    .action(async (file: string, options: unknown, command) => {
      const { json } = optionsSchema.parse(options)
      requireWritable(file)
      const made = await backUp({ config: configOf(command, terminal), file, signal: terminal.signal })
      if (json) terminal.out(JSON.stringify({ file, ...made }))
      else {
        terminal.err(`${made.runs} runs as of ${made.takenAt} are in ${file} (${showBytes(made.bytes)}).`)
        terminal.err('It holds what they read and wrote: keep it as you keep the store.')
        terminal.err(`Not in it: the configuration, job files, tokens and keys${made.beside.map((one) => `\n  ${one}`).join('')}`)
      }
      done(EXIT.ok)
    })
  program
    .command('restore <file>')
    .description('put a backup into a store that is empty, and pause everything: nothing goes on by itself')
    .option('--json', 'one JSON value on stdout')
    .addHelpText('after', examples('nightshift restore /backup/nightshift-2026-11-28.zst'))
    .action(async (file: string, options: unknown, command) => {
      const { json } = optionsSchema.parse(options)
      const restored = await restore({ config: configOf(command, terminal), file, by: actorHere(null), signal: terminal.signal })
      if (json) terminal.out(JSON.stringify({ file, ...restored }))
      else
        terminal.out(
          [
            `${restored.runs} runs are as they were at ${restored.takenAt}. Everything is paused.`,
            ...(restored.open === 0
              ? []
              : [
                  `${restored.open} of them were not over then (nightshift runs --status queued). Those that went on after the backup would do again what they did since:`,
                  '  nightshift cancel RUN              ends one that may have gone on; Pomerium’s log says whether it did',
                ]),
            ...(restored.missing.length === 0
              ? []
              : [
                  'Bring these back from their copies before you resume, where evidence was signed; a new key does not follow the old one:',
                  ...restored.missing.map((one) => `  ${one}`),
                ]),
            '  nightshift resume --all            lets everything go on. Fires since the backup are not made up for: nightshift schedules backfill does',
          ].join('\n'),
        )
      done(EXIT.ok)
    })
}

const UNITS = [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]] as const // prettier-ignore

function showBytes(bytes: number): string {
  const [unit, size] = UNITS.find(([, each]) => bytes >= each) ?? ['bytes', 1]
  return `${Math.round((bytes / size) * 10) / 10} ${unit}`
}
