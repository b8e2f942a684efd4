import { writeFileSync } from 'node:fs'
import { MIDDLE, rowsOf, type FaultRow } from '../row.ts'
import type { FaultBench } from '../../support/app/fault-bench.ts'
import { on, onAct, onLook } from '../moments.ts'

const row = rowsOf('token')

/** An account of the same user, as `account rotate` makes one. */
const another = ({ gateway }: FaultBench['world'], expiresAt?: Date) =>
  gateway.accounts.create({ userId: 'svc-reports', ...(expiresAt && { expiresAt }) })

export const tokenRows: FaultRow[] = [
  row('deleted before the run', ['failed', 'TOKEN_REJECTED', 2, 0], ({ world }) => world.gateway.accounts.delete(world.account.id)),
  row('deleted in mid-run', ['failed', 'TOKEN_REJECTED', 2, 1], (bench) =>
    onLook(bench.toGateway, () => bench.world.gateway.accounts.delete(bench.world.account.id)),
  ),
  row(
    'deleted in mid-run, a new one in the file for the next attempt',
    ['succeeded', 'TOKEN_REJECTED', 2, 1],
    async (bench) => {
      const next = await another(bench.world)
      onLook(bench.toGateway, () => bench.world.gateway.accounts.delete(bench.world.account.id))
      bench.onRetry = () => writeFileSync(bench.world.tokenFile, next.jwt)
    },
    // A token file is looked at once a second.
    { heals: true, retry: '{ attempts: 2, backoff: 1500ms }' },
  ),
  row(
    'deleted at a call that must not be repeated, which Pomerium refuses: made by the next attempt, with a new one',
    ['succeeded', 'TOKEN_REJECTED', 2, 1],
    async (bench) => {
      const next = await another(bench.world)
      onAct(bench.toGateway, () => bench.world.gateway.accounts.delete(bench.world.account.id))
      bench.onRetry = () => writeFileSync(bench.world.tokenFile, next.jwt)
    },
    { heals: true, retry: '{ attempts: 2, backoff: 1500ms }' },
  ),
  row('replaced in mid-run while the old one still works', ['succeeded', null, 1, 1], async (bench) => {
    const next = await another(bench.world)
    onLook(bench.toGateway, () => writeFileSync(bench.world.tokenFile, next.jwt))
  }),
  row('expires before the deadline of the run', ['failed', 'TOKEN_EXPIRES_TOO_SOON', 1, 0], async ({ world }) => {
    writeFileSync(world.tokenFile, (await another(world, new Date(Date.now() + 60_000))).jwt)
  }),
  row('expired', ['failed', 'TOKEN_REJECTED', 2, 0], async ({ world }) => {
    writeFileSync(world.tokenFile, (await another(world, new Date(Date.now() - 60_000))).jwt)
  }),
  row('the file holds no token', ['failed', 'TOKEN_REJECTED', 2, 0], ({ world }) => writeFileSync(world.tokenFile, 'not a token\n')),
  row(
    'deleted between the list and the provider’s own',
    ['failed', 'TOKEN_REJECTED', 2, 0],
    (bench) => {
      on(
        bench.toModel,
        () => true,
        () => bench.world.gateway.accounts.delete(bench.world.account.id),
      )
    },
    { delegate: 'hosted', script: MIDDLE },
  ),
]
