// @ts-nocheck
import { z } from 'zod'

/** A name that people give to a thing of the configuration: it stands in files, URLs and metrics. */
export const nameText = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, 'is not a name; use up to 63 letters, digits, dots, dashes and underscores')
