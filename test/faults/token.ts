import { writeFileSync } from 'node:fs'
import { MIDDLE, rowsOf, type FaultRow } from './row.ts'
import type { Scene } from '../support/scene.ts'
import { on, onLook } from './moments.ts'

const row = rowsOf('token')

/** An account of the same user, as `account rotate` makes one. */
const another = ({ gateway }: Scene['world'], expiresAt?: Date) =>
  gateway.accounts.create({ userId: 'svc-reports', ...(expiresAt && { expiresAt }) })

export const tokenRows: FaultRow[] = [
  row('deleted before the run', ['failed', 'TOKEN_REJECTED', 2, 0], ({ world }) => world.gateway.accounts.delete(world.account.id)),
  row('deleted in mid-run', ['failed', 'TOKEN_REJECTED', 2, 1], (scene) =>
    onLook(scene.toGateway, () => scene.world.gateway.accounts.delete(scene.world.account.id)),
  ),
  row(
    'deleted in mid-run, a new one in the file for the next attempt',
    ['succeeded', 'TOKEN_REJECTED', 2, 1],
    async (scene) => {
      const next = await another(scene.world)
      onLook(scene.toGateway, () => scene.world.gateway.accounts.delete(scene.world.account.id))
      scene.onRetry = () => writeFileSync(scene.world.tokenFile, next.jwt)
    },
    // A token file is looked at once a second.
    { heals: true, retry: '{ attempts: 2, backoff: 1500ms }' },
  ),
  row('replaced in mid-run while the old one still works', ['succeeded', null, 1, 1], async (scene) => {
    const next = await another(scene.world)
    onLook(scene.toGateway, () => writeFileSync(scene.world.tokenFile, next.jwt))
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
    (scene) => {
      on(
        scene.toModel,
        () => true,
        () => scene.world.gateway.accounts.delete(scene.world.account.id),
      )
    },
    { delegate: 'hosted', script: MIDDLE },
  ),
]
