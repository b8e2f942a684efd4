import { once } from 'node:events'
import { EXIT } from '../../../core/failure-codes.ts'
import { openMinter } from '../../../minter/open.ts'
import { examples, type AddCommand } from '../../options/options.ts'
import { endsInOrder } from '../../terminal/ending.ts'
import { createLog } from '../../terminal/log.ts'

export const addMinter: AddCommand = (program, terminal, done) => {
  program
    .command('minter <config>')
    .description('give workers an account for each run, by a policy of its own; the only process that holds Pomerium’s shared secret')
    .addHelpText('after', examples('nightshift minter /etc/nightshift/minter.yaml'))
    .action(async (file: string) => {
      await using _ = await openMinter(file, createLog(terminal, 'info'))
      endsInOrder(terminal.signal)
      if (!terminal.signal.aborted) await once(terminal.signal, 'abort')
      done(EXIT.ok)
    })
}
