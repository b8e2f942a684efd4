import { expect, test } from 'vitest'
import { z } from 'zod'
import { runOnArm64, whyNoArm64 } from './arm64.ts'

const runSchema = z.looseObject({ status: z.string(), reasons: z.array(z.unknown()) })
const why = whyNoArm64()

test.skipIf(why !== undefined)(
  `the demo runs whole on linux-arm64, for an ordinary user${why === undefined ? '' : ` (not here: ${why})`}`,
  async () => {
    const { arch, run } = await runOnArm64()
    expect(arch).toBe('arm64')
    expect(runSchema.parse(JSON.parse(run))).toMatchObject({ status: 'succeeded', reasons: [] })
  },
  1_500_000,
)
