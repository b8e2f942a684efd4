// @ts-nocheck
import { z } from 'zod'

/** Most of something at a time. */
export const concurrency = z.int().min(1).max(10_000)
