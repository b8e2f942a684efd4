import type { AddCommand } from '../../options/options.ts'
import { addAccountCreate } from './account/create.ts'
import { addAccountDelete } from './account/delete.ts'
import { addAccountList } from './account/list.ts'
import { addAccountRotate } from './account/rotate.ts'

export const addAccount: AddCommand = (program, terminal, done) => {
  const account = program
    .command('account')
    .description('service accounts of Pomerium; needs admin: in the configuration, which workers do without')
  for (const add of [addAccountCreate, addAccountList, addAccountRotate, addAccountDelete]) add(account, terminal, done)
}
