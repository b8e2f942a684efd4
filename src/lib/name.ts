import { z } from 'zod'

/** A name in the configuration or of a job: it is used in file names, URLs and metric labels. */
export const nameText = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, 'is not a name; use up to 63 letters, digits, dots, dashes and underscores')
