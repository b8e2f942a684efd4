import type { Command } from 'commander'
import { z } from 'zod'
import { publicKeyFile } from '../../../audit/evidence/keys.ts'
import { changeKeys, createKey, rotateKey, viewKey, type KeyView } from '../../../audit/evidence/rotation.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { configOf, examples, openStoreOf, type AddCommand } from '../../options/options.ts'
import { createLines } from '../../terminal/lines.ts'
import type { Terminal } from '../../terminal/terminal.ts'

const showOptions = z.object({ json: z.boolean().default(false) })

/** The key that signs evidence: made, shown and changed here, and nowhere on the way. */
export const addEvidenceKey: AddCommand = (evidence, terminal, done) => {
  const key = evidence.command('key').description('the key that signs evidence and checkpoints')

  key
    .command('create')
    .description('make the key of this deployment, once; every other host is given a copy, or a key of its own that is introduced')
    .addHelpText('after', examples('nightshift evidence key create'))
    .action((_: unknown, command: Command) => {
      const { evidence: files } = configOf(command, terminal)
      const { id } = createKey(files)
      terminal.out(`${files.keyFile}: key ${id}. Give ${publicKeyFile(files.keyFile)} to whoever is to verify, and keep a copy of the key.`)
      done(EXIT.ok)
    })

  key
    .command('show')
    .description('its name, its public half, and what was signed last')
    .option('--json', 'one JSON value on stdout')
    .action((_: unknown, command: Command) => {
      const { json } = showOptions.parse(command.optsWithGlobals())
      const view = viewKey(configOf(command, terminal).evidence)
      terminal.out(json ? JSON.stringify(view) : showKey(view, terminal))
      done(EXIT.ok)
    })

  key
    .command('rotate')
    .description('put a new key in its place; a checkpoint that the old one signs introduces it')
    .addHelpText('after', examples('nightshift evidence key rotate'))
    .action(async (_: unknown, command: Command) => {
      const config = configOf(command, terminal)
      await using store = await openStoreOf(config)
      const { id, oldPublicKeyFile } = await rotateKey(store.db, config.evidence, undefined)
      terminal.out(
        `${config.evidence.keyFile}: key ${id}. What the old one signed is verified with ${oldPublicKeyFile}; start the schedulers again where they have a copy.`,
      )
      done(EXIT.ok)
    })

  key
    .command('introduce <file>')
    .description('let another signer’s key, named by its .pub file, sign checkpoints beside this one')
    .action((file: string, _: unknown, command: Command) => change('introduces', file, command))

  key
    .command('retire <file>')
    .description('let a key, named by its .pub file, sign no more; what it signed before stands')
    .action((file: string, _: unknown, command: Command) => change('retires', file, command))

  async function change(how: 'introduces' | 'retires', file: string, command: Command): Promise<void> {
    const config = configOf(command, terminal)
    await using store = await openStoreOf(config)
    const { id, checkpoint } = await changeKeys(store.db, config.evidence, how, file)
    terminal.out(`Checkpoint ${checkpoint} ${how} key ${id}.`)
    done(EXIT.ok)
  }
}

function showKey({ id, publicKey, memory }: KeyView, terminal: Terminal): string {
  const lines = createLines(terminal)
  const last = memory?.last
  return [
    lines.step('key', id),
    lines.step('public', publicKey),
    lines.step('signed', last ? `checkpoint ${last.number}, ${last.hash}` : 'nothing yet'),
  ].join('\n')
}
